"""Who may do what, where the policies of the chart are in force."""
import json
import pathlib
import tempfile
import time
import unittest

from chart import (AUTHORITIES, CHART, COLLECTOR, Cluster, NAMESPACE, NAMESPACE_CONTROLLER, OPERATIONS, OPERATOR, SECRETS, SYSTEMS, ReleaseTest, cluster,
                     eventually, pair_secret, system)

ADMIN = None  # the administrator: every right, breakglass among them
OWNER = "owner@example.com"    # admin in idm
EDITOR = "editor@example.com"  # edit in idm
KEEPER = "keeper@example.com"  # admin in idm, and breakglass there by a Role
SUBSCRIBER = "anna@example.com"
# A ConfigMap that does not exist: the collector would delete any object that it owns.
OWNERS = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "11111111-1111-1111-1111-111111111111"},
          {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "22222222-2222-2222-2222-222222222222"}]
COPY = "kubectl.kubernetes.io/last-applied-configuration"
REASON = {"metadata": {"annotations": {"certpair.dev/break-glass": "restoring after incident 17"}}}


def operation(name):
    return {"apiVersion": "certpair.dev/v1", "kind": "CertificateOperation", "metadata": {"name": name},
            "spec": {"systemRef": {"name": "probe"}, "action": "Generate"}}


def owned(*owners):
    return {"metadata": {"ownerReferences": list(owners)}}


def noted(text, key="example.com/note"):
    return {"metadata": {"annotations": {key: text}}}


def numbered(count, value="", prefix="n"):
    return {f"{prefix}{n}": value for n in range(count)}


class PolicyTest(ReleaseTest):
    values = {"policies": {"confirmDelete": True}, "controller": {"secretMetadataAllow": ["team", "team.example.com/*"]}}

    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster()
        cls.api = cls.cluster.api
        cls.upgrade({"policies": {"enabled": False}})
        cls.create_what_is_too_large()
        super().setUpClass()
        roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/idm"
        cls.api.create(roles + "/roles", {"metadata": {"name": "keeper"}, "rules": [
            {"apiGroups": ["certpair.dev"], "resources": ["provisioningsystems"], "verbs": ["breakglass"]}]})
        for binding, name, kind, role in (("admin", OWNER, "ClusterRole", "admin"), ("edit", EDITOR, "ClusterRole", "edit"),
                                          ("certpair-subscriber", SUBSCRIBER, "ClusterRole", "certpair-subscriber"),
                                          ("keeper-admin", KEEPER, "ClusterRole", "admin"), ("keeper", KEEPER, "Role", "keeper")):
            cls.api.create(roles + "/rolebindings", {
                "metadata": {"name": binding}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}]})
        cls.secret("guarded")
        cls.await_policies()

    @classmethod
    def secret(cls, name):
        cls.api.create(SECRETS.format("idm"), pair_secret(name))
        return SECRETS.format("idm") + "/" + name

    @classmethod
    def await_policies(cls):
        """A policy takes effect a moment after its creation, and loses it a moment after its deletion."""
        cls.api.create(SYSTEMS.format("idm"), system("probe"))
        probe = SYSTEMS.format("idm") + "/probe?dryRun=All"
        another = {"spec": {"notifications": {"subscribers": [{"email": "another@example.com"}]}}}
        eventually(lambda: cls.api.patch(probe, another, user=SUBSCRIBER)[0] == 200, "an earlier release's policy still holds")
        probes = ((SECRETS.format("idm") + "/guarded", {"data": {"x": "eA=="}}, OWNER),
                  (SYSTEMS.format("idm") + "/probe", owned(OWNERS[0]), EDITOR),
                  (SYSTEMS.format("idm") + "/probe", noted("x" * 20000), ADMIN),
                  (SECRETS.format("idm") + "/guarded", {"data": {"x": "eA=="}}, OPERATOR),
                  (SYSTEMS.format("idm") + "/probe", {"spec": {"displayName": "x"}}, SUBSCRIBER),
                  (SYSTEMS.format("idm") + "/probe/status", {"status": {"secretName": "x"}}, ADMIN))
        for path, body, user in probes:
            eventually(lambda: cls.api.patch(path + "?dryRun=All", body, user=user, groups=["system:masters"] if user == OPERATOR else ())[0]
                       in (403, 422), f"no policy holds for {path}")

    @classmethod
    def create_what_is_too_large(cls):
        """As if made before the policy existed. A policy of an earlier release may still hold for a moment."""
        for name, notes in (("old-huge", {"example.com/x": "x" * 200_000}), ("old-many", {f"a{n}": "" for n in range(900)})):
            step = {**operation(name), "metadata": {"name": name, "annotations": notes, "finalizers": ["example.com/held"]}}
            eventually(lambda step=step: cls.api("POST", OPERATIONS.format("idm"), step)[0] in (201, 409), f"{name} cannot be made")

    def check(self, wanted, answer):
        status, body, _ = answer
        if wanted == "":
            self.assertLess(status, 300, body)
        else:
            self.assertGreaterEqual(status, 400, body)
            self.assertIn(wanted, body["message"])

    def test_Only_the_operator_changes_the_Secret_of_a_pair(self):
        guarded = SECRETS.format("idm") + "/guarded"
        no = "only certpair changes or deletes it"
        rows = [
            ("another key", {"data": {"tls.key": "eA=="}}, no),
            ("an inactive certificate", {"data": {"inactive.crt": "eA=="}}, no),
            ("its label taken away", {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}, no),
            ("one more label", {"metadata": {"labels": {"team": "x"}}}, no),
            ("immutable", {"immutable": True}, no),
            ("the owner's UID", {"metadata": {"annotations": {"certpair.dev/system-uid": "mine"}}}, no),
            ("an annotation of ours removed", {"metadata": {"annotations": {"certpair.dev/system-uid": None}}}, no),
            ("an annotation of ours added", {"metadata": {"annotations": {"certpair.dev/x": "y"}}}, no),
            ("a finalizer", {"metadata": {"finalizers": ["example.com/x"]}}, no),
            ("an owner", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}}, no),
            ("an annotation of another controller", {"metadata": {"annotations": {"example.com/seen": "y"}}}, ""),
            ("nothing", {}, ""),
        ]
        for what, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, self.api.patch(guarded + "?dryRun=All", patch, user=OWNER))
                if wanted:
                    self.check(wanted, self.api.patch(guarded + "?dryRun=All", patch))
                    not_the_operators = ("its label taken away", "immutable", "a finalizer", "an owner")
                    self.check("", self.api.patch(guarded + "?dryRun=All", patch, user=COLLECTOR if what in not_the_operators else OPERATOR,
                                                  groups=["system:masters"]))

    def test_Thousands_of_annotations_are_refused_at_once(self):
        """The time to go through them grows with the square of their number, and CEL does not charge for it."""
        path = self.secret("noted") + "?dryRun=All"
        many = {"metadata": {"annotations": numbered(5_000)}}
        started = time.monotonic()
        for user in (OWNER, None):
            self.check("metadata.annotations has 5001 entries (1 before), and the maximum is 256", self.api.patch(path, many, user=user))
        self.assertLess(time.monotonic() - started, 2)
        self.check("", self.api.patch(path, {"metadata": {"annotations": numbered(255)}}, user=OWNER))
        self.check("entries", self.api.patch(path, {"metadata": {"annotations": numbered(256)}}, user=OWNER))

    def test_A_Secret_with_thousands_of_annotations_is_still_judged(self):
        """A restore may bring one back. It can be changed only with a reason and the right."""
        secret = pair_secret("restored-noted")
        secret["metadata"]["annotations"].update(numbered(5_000))
        self.api.create(SECRETS.format("idm"), secret)
        path = SECRETS.format("idm") + "/restored-noted"
        self.check("metadata.annotations has 5001 entries (5001 before)", self.api.patch(path, noted("x", "n1"), user=OWNER))
        self.check("metadata.annotations has 1 entries (5001 before)", self.api.patch(path, {"metadata": {"annotations": dict.fromkeys(numbered(5_000))}}))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.operator_api().patch(path + "?dryRun=All", {"data": {"tls.crt": "Yg=="}}))
        self.check("", self.api.patch(path, {"metadata": {"annotations": {**dict.fromkeys(numbered(5_000)), **REASON["metadata"]["annotations"]}}}))

    def test_Only_the_collectors_delete_the_Secret_of_a_pair(self):
        path = self.secret("deleted") + "?dryRun=All"
        no = "only certpair changes or deletes it"
        self.check(no, self.api("DELETE", path, user=OWNER))
        self.check(no, self.api("DELETE", path))
        self.check(no, self.api("DELETE", SECRETS.format("idm") + "?dryRun=All&labelSelector=certpair.dev/system", user=OWNER))
        for user in (COLLECTOR, NAMESPACE_CONTROLLER, "system:kube-controller-manager"):
            self.check("", self.api("DELETE", path, user=user, groups=["system:masters"]))

    def test_Only_a_restore_creates_the_Secret_of_a_pair(self):
        create = SECRETS.format("idm") + "?dryRun=All"
        planted = {
            "as the operator makes it": pair_secret("planted"),
            "by the annotation alone": {"metadata": {"name": "planted", "annotations": {"certpair.dev/system-uid": "u"}}},
            "as an authority's": {"metadata": {"name": "certpair-ca-x", "labels": {"certpair.dev/authority": "x"}}},
        }
        for what, secret in planted.items():
            with self.subTest(what):
                self.check("only certpair", self.api("POST", create, secret, user=OWNER))
        self.check("", self.api("POST", create, pair_secret("restored")))

    def test_A_foreign_Secret_cannot_become_that_of_a_pair(self):
        self.api.create(SECRETS.format("idm"), {"metadata": {"name": "own"}, "data": {"a": "YQ=="}})
        claim = {"metadata": {"annotations": {"certpair.dev/system-uid": "u"}}}
        self.check("only certpair", self.api.patch(SECRETS.format("idm") + "/own?dryRun=All", claim, user=OWNER))

    def unlabelled(self, name):
        """A pair's Secret without its label, as after a time without policies. The administrator removes it here."""
        path = self.secret(name)
        self.check("", self.api.patch(path, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}, **REASON["metadata"]}}))
        self.check("", self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/break-glass": None}}}))
        return path

    def test_The_operator_puts_a_lost_label_back(self):
        path = self.unlabelled("bare")
        label = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "certpair"}}}
        self.check("the operator writes only Secrets with the label", self.operator_api().patch(path, {"data": {"tls.crt": "Yg=="}}))
        self.check("", self.operator_api().patch(path, {**label, "data": {"tls.crt": "Yg=="}}))
        self.assertEqual(self.api("GET", path)[1]["metadata"]["labels"]["app.kubernetes.io/managed-by"], "certpair")

    def test_A_Secret_without_its_label_is_still_protected(self):
        path = self.unlabelled("bare-yet") + "?dryRun=All"
        self.check("only certpair", self.api.patch(path, {"data": {"tls.crt": "Yg=="}}, user=OWNER))
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/system-uid": None}}}, user=OWNER))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path, user=COLLECTOR, groups=["system:masters"]))

    def test_Foreign_Secrets_are_not_restricted(self):
        plain = {"metadata": {"name": "plain"}, "data": {"a": "YQ=="}}
        self.check("", self.api("POST", SECRETS.format("idm"), plain, user=OWNER))
        self.check("", self.api.patch(SECRETS.format("idm") + "/plain", {"data": {"b": "YQ=="}}, user=OWNER))
        self.check("", self.api("DELETE", SECRETS.format("idm") + "/plain", user=OWNER))

    def test_Break_glass_needs_a_reason_and_the_right(self):
        path = self.secret("glass")
        change = {"data": {"tls.crt": "Yg=="}}
        self.check("only certpair", self.api.patch(path, {**change, **REASON}, user=OWNER))
        self.check("only certpair", self.api.patch(path, change))
        self.check("only certpair", self.api.patch(path, {**change, "metadata": {"annotations": {"certpair.dev/break-glass": ""}}}))
        self.check("", self.api.patch(path, {**change, **REASON}))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path))

    def test_Any_writer_may_remove_the_break_glass_reason(self):
        path = self.secret("mended")
        self.check("", self.api.patch(path, REASON))
        note = "certpair.dev/break-glass"
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {note: "another reason"}}}, user=OWNER))
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {note: None}}, "data": {"tls.crt": "Yg=="}}))
        self.check("", self.api.patch(path, {"metadata": {"annotations": {note: None}}}, user=OWNER))
        self.assertNotIn(note, self.api("GET", path)[1]["metadata"]["annotations"])
        self.check("only certpair", self.api("DELETE", path))

    def test_A_leftover_Secret_is_removed_as_the_refusal_says(self):
        path = self.secret("outlived")
        status, refusal, _ = self.api("DELETE", path, user=KEEPER)
        self.assertEqual(status, 403)
        for wanted in ("deletionPolicy Retain", "verb breakglass on provisioningsystems in this namespace",
                       "kubectl -n idm annotate secret outlived certpair.dev/break-glass=REASON"):
            self.assertIn(wanted, refusal["message"])
        self.check("", self.api.patch(path, REASON, user=KEEPER))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path, user=KEEPER))

    def test_The_operator_writes_only_its_own_Secrets(self):
        operator = self.operator_api()
        create = SECRETS.format("idm") + "?dryRun=All"
        self.api.create(SECRETS.format("idm"), {"metadata": {"name": "foreign"}, "data": {"a": "YQ=="}})
        foreign = SECRETS.format("idm") + "/foreign?dryRun=All"
        no = "the operator writes only Secrets with the label"
        self.check(no, operator("POST", create, {"metadata": {"name": "x"}, "data": {}}))
        self.check(no, operator.patch(foreign, {"data": {"a": "Yg=="}}))
        self.check(no, operator.patch(foreign, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "certpair"}}}))
        self.check(no, operator.patch(SECRETS.format("idm") + "/guarded?dryRun=All",
                                      {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}))
        self.check("", operator("POST", create, pair_secret("x")))
        token = pair_secret("x")
        token["metadata"]["annotations"]["kubernetes.io/service-account.name"] = "default"
        for other in ({**token, "type": "kubernetes.io/service-account-token", "data": {}},
                      {**pair_secret("x"), "type": "bootstrap.kubernetes.io/token"}, {**pair_secret("x"), "type": "Opaque"}):
            with self.subTest(other["type"]):
                self.check("only Secrets of type kubernetes.io/tls", operator("POST", create, other))
        self.check("", operator.patch(SECRETS.format("idm") + "/guarded?dryRun=All", {"data": {"tls.crt": "Yg=="}}))

    def test_The_operator_adds_only_its_own_keys_and_owners(self):
        """A stolen token would make the collector delete a Secret, or another controller copy it."""
        operator, create = self.operator_api(), SECRETS.format("idm") + "?dryRun=All"

        def made(metadata=None, **more):
            secret = pair_secret("x")
            for name, value in (metadata or {}).items():
                secret["metadata"][name] = {**secret["metadata"].get(name, {}), **value} if isinstance(value, dict) else value
            return {**secret, **more}
        own = {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "name": "x", "uid": "u", "controller": True}
        slots = ("tls.crt", "tls.key", "ca.crt", "inactive.crt", "inactive.key", "inactive-ca.crt", "keystore.p12")
        reflector = "reflector.v1.k8s.emberstack.com/reflection-allowed"
        key, owner, held = "would get a label, annotation or data key of another owner", "would get another owner than", "would get a finalizer or become immutable"
        rows = [
            ("its owner", made({"ownerReferences": [own]}), ""),
            ("its owner beside another controller", made({"ownerReferences": [{**own, "controller": False}]}), ""),
            ("an owner that does not exist", made({"ownerReferences": [OWNERS[0]]}), owner),
            ("a system of another UID", made({"ownerReferences": [{**own, "uid": "v"}]}), owner),
            ("a system of another name", made({"ownerReferences": [{**own, "name": "y"}]}), owner),
            ("another group", made({"ownerReferences": [{**own, "apiVersion": "example.com/v1"}]}), owner),
            ("one more owner", made({"ownerReferences": [own, OWNERS[0]]}), owner),
            ("an authority's, with an owner", made({"labels": {"certpair.dev/authority": "x"}, "ownerReferences": [own]}), owner),
            ("all keys of a pair", made(data={slot: "YQ==" for slot in slots}), ""),
            ("another data key", made(data={"tls.crt": "", "tls.key": "", "config.yaml": "YQ=="}), key),
            ("another data key, as text", made(stringData={"token": "a"}), key),
            ("a label that is allowed", made({"labels": {"team": "x"}}), ""),
            ("one whose beginning is allowed", made({"annotations": {"team.example.com/x": "y"}}), ""),
            ("one that is not", made({"labels": {"velero.io/exclude-from-backup": "x"}}), key),
            ("an annotation that copies it", made({"annotations": {reflector: "true"}}), key),
            ("one of ours", made({"annotations": {"certpair.dev/renewed": "x"}}), ""),
            ("break-glass", made({"annotations": REASON["metadata"]["annotations"]}), key),
            ("a finalizer", made({"finalizers": ["example.com/x"]}), held),
            ("immutable", made(immutable=True), held),
        ]
        for what, secret, wanted in rows:
            with self.subTest(what):
                self.check(wanted, operator("POST", create, secret))
        self.api.create(SECRETS.format("idm"), made({"labels": {"seen": "1"}, "annotations": {reflector: "true"}, "ownerReferences": [OWNERS[0]],
                                                     "name": "shared"}, data={"tls.crt": "", "tls.key": "", "others": "YQ=="}))
        shared = SECRETS.format("idm") + "/shared?dryRun=All"
        rows = [
            ("what others put there stays", {"data": {"tls.crt": "Yg=="}, "metadata": {"labels": {"team": "b"}}}, ""),
            ("others' data changed", {"data": {"others": "Yg=="}}, key),
            ("others' label changed", {"metadata": {"labels": {"seen": "2"}}}, key),
            ("others' annotation changed", {"metadata": {"annotations": {reflector: "all"}}}, key),
            ("others' owner changed", owned(OWNERS[1]), owner),
            ("its own owner beside", owned(OWNERS[0], own), ""),
            ("no owner", owned(), ""),
        ]
        for what, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, operator.patch(shared, patch))

    def test_The_operator_never_changes_the_Secret_of_an_authority(self):
        """The operator creates one once. A stolen token must not take the key away."""
        operator, secrets = self.operator_api(), SECRETS.format(NAMESPACE)
        secret = {"metadata": {"name": "certpair-ca-made", "labels": {"app.kubernetes.io/managed-by": "certpair", "certpair.dev/authority": "made"}},
                  "type": "kubernetes.io/tls", "data": {"tls.crt": "YQ==", "tls.key": "YQ==", "ca.crt": "YQ=="}}
        self.check("", operator("POST", secrets, secret))
        path, no = secrets + "/certpair-ca-made?dryRun=All", "holds the key of an authority"
        self.check(no, operator.patch(path, {"data": {"tls.key": "Yg=="}}))
        self.check(no, operator.patch(path, {"metadata": {"labels": {"certpair.dev/authority": None, "certpair.dev/system": "x"},
                                                          "annotations": {"certpair.dev/system-uid": "u"}}}))
        self.check(no, operator.patch(path, owned(OWNERS[0])))

    def test_Owners_and_finalizers_need_the_right_to_delete(self):
        self.api.create(SYSTEMS.format("idm"), system("kept"))
        there = self.api.create("/api/v1/namespaces/idm/configmaps", {"metadata": {"name": "there"}})["metadata"]["uid"]
        there = {"apiVersion": "v1", "kind": "ConfigMap", "name": "there", "uid": there}
        self.api.create(SYSTEMS.format("idm"), {**system("owned"), "metadata": {"name": "owned", "ownerReferences": [there], "finalizers": ["example.com/a"]}})
        self.addCleanup(self.api.patch, SYSTEMS.format("idm") + "/owned", {"metadata": {"finalizers": None}})
        kept, has_one = (SYSTEMS.format("idm") + f"/{name}?dryRun=All" for name in ("kept", "owned"))
        held = {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}
        owner, finalizer = "the garbage collector deletes it with its owner", "a finalizer keeps it from being deleted"
        rows = [
            ("an owner", kept, owned(OWNERS[0]), owner),
            ("a second owner", has_one, owned(there, OWNERS[0]), owner),
            ("another in its place", has_one, owned(OWNERS[1]), owner),
            ("another name of it", has_one, owned({**there, "name": "another"}), owner),
            ("another kind of it", has_one, owned({**there, "kind": "Pod"}), owner),
            ("a finalizer", kept, held, finalizer),
            ("one more finalizer", has_one, held, finalizer),
            ("the same owner", has_one, {**owned({**there, "blockOwnerDeletion": False}), "spec": {"displayName": "x"}}, ""),
            ("no owner, no finalizer", has_one, {"metadata": {"ownerReferences": None, "finalizers": None}}, ""),
            ("anything else", has_one, {"spec": {"displayName": "x"}}, ""),
        ]
        for what, path, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, self.api.patch(path, patch, user=EDITOR))
                self.check("", self.api.patch(path, patch, user=OWNER))
                if wanted:
                    self.check("", self.api.patch(path, patch, user=COLLECTOR, groups=["system:masters"]))
        self.check("", self.api("POST", SYSTEMS.format("idm") + "?dryRun=All", {**system("new"), "metadata": {"generateName": "new-", **owned(OWNERS[0])["metadata"]}},
                                user=OWNER))
        self.check("", self.api("POST", OPERATIONS.format("idm") + "?dryRun=All", {**operation("new"), "metadata": {"name": "new", **owned(OWNERS[0])["metadata"]}},
                                user=EDITOR))

    def test_The_rights_to_create_and_patch_are_not_enough_for_an_owner(self):
        roles, user = "/apis/rbac.authorization.k8s.io/v1", "maker@example.com"
        self.api.create(roles + "/clusterroles", {"metadata": {"name": "makers"}, "rules": [
            {"apiGroups": ["certpair.dev"], "resources": ["certificateauthorities", "provisioningsystems"], "verbs": ["create", "patch"]}]})
        self.api.create(roles + "/clusterrolebindings", {
            "metadata": {"name": "makers"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makers"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
        self.api.create(AUTHORITIES, {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority", "metadata": {"name": "kept"},
                                      "spec": {"generated": {"commonName": "x"}}})
        owner = "the verb delete on "
        self.check(owner + "certificateauthorities", self.api.patch(AUTHORITIES + "/kept?dryRun=All", owned(OWNERS[0]), user=user))
        self.check("", self.api.patch(AUTHORITIES + "/kept?dryRun=All", owned(OWNERS[0])))
        create = SYSTEMS.format("idm") + "?dryRun=All"
        self.check(owner + "provisioningsystems", self.api("POST", create, {**system("new"), "metadata": {"name": "new", **owned(OWNERS[0])["metadata"]}}, user=user))
        self.check("", self.api("POST", create, system("new"), user=user))

    def test_Metadata_of_the_kinds_of_certpair_is_bounded(self):
        """300 operations with annotations of 256 KiB would exhaust the memory of a client that lists them."""
        authority = {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority", "metadata": {"name": "x"}, "spec": {"generated": {"commonName": "x"}}}
        managers = [{"manager": f"m{n}", "operation": "Apply", "apiVersion": "certpair.dev/v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                     "fieldsV1": {"f:spec": {"f:action": {}}}} for n in range(129)]
        sized, counted, copied = "bytes together, and the maximum is 16384", "entries, and the maximum is ", "Use kubectl apply --server-side"
        at_most = 16384 - len("a")
        rows = [
            (OPERATIONS, operation("x"), "annotations", {"a": "x" * 262_000}, sized),
            (OPERATIONS, operation("x"), "annotations", {"a": "x" * at_most}, ""),
            (OPERATIONS, operation("x"), "annotations", {"a": "x" * (at_most + 1)}, sized),
            (OPERATIONS, operation("x"), "annotations", {"a": "\u00fc" * (at_most // 2 + 1)}, sized),
            (OPERATIONS, operation("x"), "annotations", numbered(64), ""),
            (OPERATIONS, operation("x"), "annotations", numbered(65), "annotations has 65 " + counted + "64"),
            (OPERATIONS, operation("x"), "annotations", numbered(30_000), counted),
            (OPERATIONS, operation("x"), "labels", numbered(64), ""),
            (OPERATIONS, operation("x"), "labels", numbered(65), "labels has 65 " + counted + "64"),
            (OPERATIONS, operation("x"), "labels", numbered(64, "v" * 63, "d" * 200 + "/"), sized),
            (OPERATIONS, operation("x"), "finalizers", [f"example.com/{n}" for n in range(33)], "finalizers has 33 " + counted + "32"),
            (OPERATIONS, operation("x"), "ownerReferences", [{**OWNERS[0], "uid": str(n)} for n in range(33)], "ownerReferences has 33 " + counted + "32"),
            (OPERATIONS, operation("x"), "ownerReferences", [{**OWNERS[0], "kind": "K" * 17_000}], sized),
            (OPERATIONS, operation("x"), "annotations", {COPY: "x" * 32_768, "a": "x" * at_most}, ""),
            (OPERATIONS, operation("x"), "annotations", {COPY: "x" * 32_769}, copied),
            (SYSTEMS, system("x"), "annotations", {COPY: "x" * 131_072}, ""),
            (SYSTEMS, system("x"), "annotations", {COPY: "x" * 131_073}, copied),
            (SYSTEMS, system("x"), "annotations", {"a": "x" * (at_most + 1)}, sized),
            (AUTHORITIES, authority, "annotations", {"a": "x" * (at_most + 1)}, sized),
            (AUTHORITIES, authority, "annotations", {COPY: "x" * 200_000}, ""),
        ]
        for path, manifest, field, value, wanted in rows:
            with self.subTest(path=path, field=field, wanted=wanted):
                answer = self.api("POST", path.format("idm") + "?dryRun=All", {**manifest, "metadata": {**manifest["metadata"], field: value}})
                self.check(wanted, answer)
        self.api.create(OPERATIONS.format("idm"), operation("managed"))
        self.check("managedFields has ", self.api.patch(OPERATIONS.format("idm") + "/managed?dryRun=All", {"metadata": {"managedFields": managers}}))
        self.check("", self.api.patch(OPERATIONS.format("idm") + "/managed?dryRun=All", {"metadata": {"managedFields": managers[:100]}}))

    def test_Metadata_that_is_too_large_may_change_but_not_grow(self):
        status = {"status": {"fingerprint": ":".join(["AB"] * 32)}}
        for name, key, smaller, refusal in (("old-huge", "example.com/x", "x" * 100_000, "bytes together"), ("old-many", "a1", None, "entries, and the maximum")):
            path = OPERATIONS.format("idm") + "/" + name
            with self.subTest(name):
                self.check(refusal, self.api.patch(path + "?dryRun=All", noted("x" * 9)))
                self.check("", self.api.patch(path + "?dryRun=All", noted(smaller, key)))
                self.check("", self.api.patch(path + "?dryRun=All", {"metadata": {"labels": {"a": "b"}, "annotations": {key: None}}}))
                self.check("", self.operator_api().patch(path + "/status?dryRun=All", status))
                self.check("", self.operator_api()("DELETE", path + "?dryRun=All"))
                self.check("", self.api("DELETE", path, user=EDITOR))
                self.check("", self.api.patch(path, {"metadata": {"finalizers": None}}))
                self.assertEqual(self.api("GET", path)[0], 404, "its finalizer was the last thing that held it")

    def test_Only_the_operator_writes_status(self):
        self.api.create(SYSTEMS.format("idm"), system("told"))
        self.api.create(AUTHORITIES, {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority", "metadata": {"name": "told"},
                                      "spec": {"generated": {"commonName": "x"}}})
        self.api.create(OPERATIONS.format("idm"), {"apiVersion": "certpair.dev/v1", "kind": "CertificateOperation", "metadata": {"name": "told"},
                                                   "spec": {"systemRef": {"name": "told"}, "action": "Generate"}})
        for path in (SYSTEMS.format("idm") + "/told/status?dryRun=All", OPERATIONS.format("idm") + "/told/status?dryRun=All",
                     AUTHORITIES + "/told/status?dryRun=All"):
            status = {"status": {"conditions": []} if "operations" in path else {"observedGeneration": 7}}
            with self.subTest(path):
                self.check("only certpair writes it", self.api.patch(path, status))
                self.check("", self.operator_api().patch(path, status))

    def test_Break_glass_covers_the_status_of_an_authority(self):
        """An authority is cluster-scoped, so a request for it names no namespace."""
        self.api.create(AUTHORITIES, {"apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority",
                                      "metadata": {"name": "glass", **REASON["metadata"]}, "spec": {"generated": {"commonName": "x"}}})
        roles = "/apis/rbac.authorization.k8s.io/v1"
        self.api.create(roles + "/clusterroles", {"metadata": {"name": "status-writers"}, "rules": [
            {"apiGroups": ["certpair.dev"], "resources": ["certificateauthorities/status"], "verbs": ["patch"]}]})
        self.api.create(roles + "/clusterrolebindings", {
            "metadata": {"name": "status-writers"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "status-writers"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "status-writers"}]})
        path, status = AUTHORITIES + "/glass/status?dryRun=All", {"status": {"observedGeneration": 7}}
        self.check("", self.api.patch(path, status))
        self.check("only certpair writes it", self.api.patch(path, status, user=KEEPER, groups=["status-writers"]))

    def in_use(self, name):
        self.api.create(SYSTEMS.format("idm"), system(name))
        path = SYSTEMS.format("idm") + "/" + name
        self.check("", self.operator_api().patch(path + "/status", {"status": {
            "activeFingerprint": ":".join(["AB"] * 32),
            "conditions": [{"type": "InUse", "status": "True", "reason": "ClientCertificateAuthentication", "message": "m",
                            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}))
        return path

    def test_Deleting_a_system_in_use_needs_its_name_as_confirmation(self):
        path = self.in_use("used")
        no = "annotate provisioningsystem used certpair.dev/confirm-delete=used"
        self.check(no, self.api("DELETE", path, user=OWNER))
        self.check(no, self.api("DELETE", SYSTEMS.format("idm") + "?fieldSelector=metadata.name=used"))
        self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/confirm-delete": "another"}}})
        self.check(no, self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path + "?dryRun=All", user=NAMESPACE_CONTROLLER, groups=["system:masters"]))
        self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/confirm-delete": "used"}}})
        self.check("", self.api("DELETE", path, user=OWNER))

    def test_A_system_without_a_certificate_is_deleted_at_once(self):
        self.api.create(SYSTEMS.format("idm"), system("empty"))
        self.check("", self.api("DELETE", SYSTEMS.format("idm") + "/empty", user=OWNER))

    def test_Regeneration_at_a_fingerprint_peer_gets_a_warning(self):
        create = SYSTEMS.format("idm") + "?dryRun=All"
        on = {"automaticRegeneration": {"enabled": True}, "peerMatching": "Fingerprint"}
        rows = [("on", on, "upload it to the peer and activate it"), ("held", {**on, "activation": {"atExpiry": "Hold"}}, "the old one expires"),
                ("off", {"peerMatching": "Fingerprint"}, None), ("another peer", {"automaticRegeneration": {"enabled": True}}, None)]
        for what, spec, wanted in rows:
            with self.subTest(what):
                status, _, warnings = self.api("POST", create, system("warned", **spec))
                self.assertEqual(status, 201)
                self.assertEqual(any(wanted in text for text in warnings) if wanted else bool(warnings), bool(wanted), warnings)

    def test_The_warning_comes_only_with_a_change_of_the_spec(self):
        self.api.create(SYSTEMS.format("idm"), system("quiet", automaticRegeneration={"enabled": True}, peerMatching="Fingerprint"))
        _, _, warnings = self.api.patch(SYSTEMS.format("idm") + "/quiet", {"metadata": {"labels": {"a": "b"}}})
        self.assertEqual(warnings, [])

    def test_A_subscriber_changes_one_subscription_and_nothing_else(self):
        people = [{"email": "a@example.com", "displayName": "A"}, {"email": "b@example.com", "displayName": "B"}]
        self.api.create(SYSTEMS.format("idm"), system("mailed", notifications={"subscribers": people, "warnBefore": ["720h"]}))
        path = SYSTEMS.format("idm") + "/mailed?dryRun=All"

        def told(*subscribers):
            return {"spec": {"notifications": {"subscribers": list(subscribers)}}}
        anna = {"email": SUBSCRIBER, "displayName": "Anna"}
        only, one = "you may change spec.notifications.subscribers and nothing else", "one subscription at a time"
        rows = [
            ("one more", told(*people, anna), ""),
            ("one less", told(people[0]), ""),
            ("another display name", told(people[0], {"email": "b@example.com", "displayName": "Bea"}), ""),
            ("nothing", {}, ""),
            ("nobody left", told(), one),
            ("two more", told(*people, anna, {"email": "c@example.com"}), one),
            ("one for another", told(people[0], anna), one),
            ("the warnings", {"spec": {"notifications": {"warnBefore": ["72h"]}}}, only),
            ("no warnings", {"spec": {"notifications": {"warnBefore": None}}}, only),
            ("the display name", {"spec": {"displayName": "x"}}, only),
            ("regeneration", {"spec": {"automaticRegeneration": {"enabled": True}}}, only),
            ("validity", {"spec": {"certificate": {"validity": "48h"}}}, only),
            ("authentication", {"spec": {"authentication": "BasicAuthentication"}}, only),
            ("a label", {"metadata": {"labels": {"a": "b"}}}, only),
            ("an annotation", {"metadata": {"annotations": {"certpair.dev/confirm-delete": "mailed"}}}, only),
            ("a finalizer", {"metadata": {"finalizers": ["example.com/x"]}}, "denied request"),  # two policies refuse it
            ("an owner", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}}, "denied request"),
        ]
        for what, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, self.api.patch(path, patch, user=SUBSCRIBER))
                if wanted:
                    self.check("", self.api.patch(path, patch, user=OWNER))
        entry = {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "metadata": {"name": "mailed"}, **told(anna)}
        self.check("", self.api("PATCH", path + "&fieldManager=anna", entry, user=SUBSCRIBER, kind="application/apply-patch+yaml"))

    def test_edit_changes_systems_and_admin_creates_and_deletes_them(self):
        self.api.create(SYSTEMS.format("idm"), system("edited"))
        path = SYSTEMS.format("idm") + "/edited?dryRun=All"
        change = {"spec": {"displayName": "x", "automaticRegeneration": {"enabled": True}}}
        self.check("", self.api.patch(path, change, user=EDITOR))
        self.check("forbidden", self.api("DELETE", path, user=EDITOR))
        self.check("forbidden", self.api("POST", SYSTEMS.format("idm") + "?dryRun=All", system("mine"), user=EDITOR))
        self.check("", self.api("POST", SYSTEMS.format("idm") + "?dryRun=All", system("mine"), user=OWNER))

    def test_A_subscriber_reads_no_Secret_and_deletes_nothing(self):
        self.check("forbidden", self.api("GET", SECRETS.format("idm"), user=SUBSCRIBER))
        self.check("forbidden", self.api("DELETE", SYSTEMS.format("idm") + "/probe", user=SUBSCRIBER))
        self.check("forbidden", self.api("POST", SYSTEMS.format("idm"), system("mine"), user=SUBSCRIBER))

    def test_A_namespace_is_deleted_with_its_pairs(self):
        self.api.create("/api/v1/namespaces", {"metadata": {"name": "leaving"}})
        self.api.create(SECRETS.format("leaving"), pair_secret("pair"))
        self.check("", self.api("DELETE", "/api/v1/namespaces/leaving", user=None))
        # The controller of this control plane works as the administrator, so we delete as it would on others.
        self.check("", self.api("DELETE", SECRETS.format("leaving") + "/pair", user=NAMESPACE_CONTROLLER, groups=["system:masters"]))


class AuditTest(unittest.TestCase):
    """On a control plane that keeps an audit log."""

    def test_The_audit_log_records_who_broke_the_glass_and_why(self):
        with tempfile.TemporaryDirectory() as folder:
            log, rules = pathlib.Path(folder) / "audit.log", pathlib.Path(folder) / "policy.yaml"
            rules.write_text(json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [
                {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"]}]}]}))
            audited = Cluster("--api-arg", f"--audit-policy-file={rules}", "--api-arg", f"--audit-log-path={log}")
            self.addCleanup(audited.down)
            answer = audited.helm("install", "certpair", CHART, "--namespace", NAMESPACE)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            audited.api.create(SECRETS.format("idm"), pair_secret("glass"))
            path = SECRETS.format("idm") + "/glass"
            eventually(lambda: audited.api.patch(path + "?dryRun=All", {"data": {"x": "eA=="}})[0] == 403, "no policy holds")
            self.assertEqual(audited.api.patch(path, {"data": {"x": "eA=="}, **REASON})[0], 200)

            def told():
                events = [json.loads(line) for line in log.read_text().splitlines()]
                return [note for event in events for name, note in event.get("annotations", {}).items() if name == "certpair-secrets/break-glass"]
            eventually(told, "the audit log says nothing of it")
            self.assertEqual(told(), ["admin: restoring after incident 17"])


class OwnAddressTest(ReleaseTest):
    values = {"policies": {"subscriberIsUser": True}}

    def test_A_subscriber_enters_no_other_address(self):
        self.api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/idm/rolebindings", {
            "metadata": {"name": "own"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "certpair-subscriber"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "Anna@example.com"}]})
        self.api.create(SYSTEMS.format("idm"), system("own"))
        path = SYSTEMS.format("idm") + "/own?dryRun=All"

        def subscribe(address):
            return self.api.patch(path, {"spec": {"notifications": {"subscribers": [{"email": address}]}}}, user="Anna@example.com")
        eventually(lambda: subscribe("boss@example.com")[0] >= 400, "no policy holds")
        self.assertIn("only change the subscription of your own address", subscribe("boss@example.com")[1]["message"])
        self.assertEqual(subscribe("anna@example.com")[0], 200)


if __name__ == "__main__":
    unittest.main()
