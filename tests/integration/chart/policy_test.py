"""Who may do what, where the policies of the chart are in force."""
import json
import pathlib
import tempfile
import unittest

from chart import (AUTHORITIES, CHART, COLLECTOR, Cluster, NAMESPACE, NAMESPACE_CONTROLLER, OPERATIONS, OPERATOR, SECRETS, SYSTEMS, ReleaseTest, eventually,
                     pair_secret, system)

ADMIN = None  # the administrator: every right, breakglass among them
OWNER = "owner@example.com"    # admin in idm
EDITOR = "editor@example.com"  # edit in idm
KEEPER = "keeper@example.com"  # admin in idm, and breakglass there by a Role
SUBSCRIBER = "anna@example.com"
REASON = {"metadata": {"annotations": {"certpair.dev/break-glass": "restoring after incident 17"}}}


class PolicyTest(ReleaseTest):
    values = {"policies": {"confirmDelete": True}}

    @classmethod
    def setUpClass(cls):
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
        """A policy is in force some moments after it is there, and one of an earlier release some moments after it is gone."""
        cls.api.create(SYSTEMS.format("idm"), system("probe"))
        probe = SYSTEMS.format("idm") + "/probe?dryRun=All"
        another = {"spec": {"notifications": {"subscribers": [{"email": "another@example.com"}]}}}
        eventually(lambda: cls.api.patch(probe, another, user=SUBSCRIBER)[0] == 200, "an earlier release's policy still holds")
        probes = ((SECRETS.format("idm") + "/guarded", {"data": {"x": "eA=="}}, OWNER),
                  (SYSTEMS.format("idm") + "/probe", {"spec": {"displayName": "x"}}, SUBSCRIBER),
                  (SYSTEMS.format("idm") + "/probe/status", {"status": {"secretName": "x"}}, ADMIN))
        for path, body, user in probes:
            eventually(lambda: cls.api.patch(path + "?dryRun=All", body, user=user)[0] in (403, 422), f"no policy holds for {path}")

    def check(self, wanted, answer):
        status, body, _ = answer
        if wanted == "":
            self.assertLess(status, 300, body)
        else:
            self.assertGreaterEqual(status, 400, body)
            self.assertIn(wanted, body["message"])

    def test_Only_the_operator_changes_a_pairs_Secret(self):
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
            ("an annotation of somebody else", {"metadata": {"annotations": {"example.com/seen": "y"}}}, ""),
            ("nothing", {}, ""),
        ]
        for what, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, self.api.patch(guarded + "?dryRun=All", patch, user=OWNER))
                if wanted:
                    self.check(wanted, self.api.patch(guarded + "?dryRun=All", patch))
                    self.check("", self.api.patch(guarded + "?dryRun=All", patch, user=OPERATOR if "label taken" not in what else COLLECTOR,
                                                  groups=["system:masters"]))

    def test_Nobody_deletes_it_but_the_collectors(self):
        path = self.secret("deleted") + "?dryRun=All"
        no = "only certpair changes or deletes it"
        self.check(no, self.api("DELETE", path, user=OWNER))
        self.check(no, self.api("DELETE", path))
        self.check(no, self.api("DELETE", SECRETS.format("idm") + "?dryRun=All&labelSelector=certpair.dev/system", user=OWNER))
        for user in (COLLECTOR, NAMESPACE_CONTROLLER, "system:kube-controller-manager"):
            self.check("", self.api("DELETE", path, user=user, groups=["system:masters"]))

    def test_Nobody_plants_one_but_who_brings_back_a_backup(self):
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

    def test_A_Secret_of_somebody_else_is_not_made_one_of_a_pair(self):
        self.api.create(SECRETS.format("idm"), {"metadata": {"name": "own"}, "data": {"a": "YQ=="}})
        claim = {"metadata": {"annotations": {"certpair.dev/system-uid": "u"}}}
        self.check("only certpair", self.api.patch(SECRETS.format("idm") + "/own?dryRun=All", claim, user=OWNER))

    def unlabelled(self, name):
        """A pair's Secret as it is after a time without policies; the administrator stands for that time."""
        path = self.secret(name)
        self.check("", self.api.patch(path, {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}, **REASON["metadata"]}}))
        self.check("", self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/break-glass": None}}}))
        return path

    def test_A_Secret_that_lost_its_label_gets_it_back_from_the_operator(self):
        path = self.unlabelled("bare")
        label = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "certpair"}}}
        self.check("the operator writes only those that carry", self.operator_api().patch(path, {"data": {"tls.crt": "Yg=="}}))
        self.check("", self.operator_api().patch(path, {**label, "data": {"tls.crt": "Yg=="}}))
        self.assertEqual(self.api("GET", path)[1]["metadata"]["labels"]["app.kubernetes.io/managed-by"], "certpair")

    def test_Until_then_nobody_else_changes_or_deletes_it(self):
        path = self.unlabelled("bare-yet") + "?dryRun=All"
        self.check("only certpair", self.api.patch(path, {"data": {"tls.crt": "Yg=="}}, user=OWNER))
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {"certpair.dev/system-uid": None}}}, user=OWNER))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path, user=COLLECTOR, groups=["system:masters"]))

    def test_A_Secret_of_somebody_else_is_nobodys_business(self):
        plain = {"metadata": {"name": "plain"}, "data": {"a": "YQ=="}}
        self.check("", self.api("POST", SECRETS.format("idm"), plain, user=OWNER))
        self.check("", self.api.patch(SECRETS.format("idm") + "/plain", {"data": {"b": "YQ=="}}, user=OWNER))
        self.check("", self.api("DELETE", SECRETS.format("idm") + "/plain", user=OWNER))

    def test_The_glass_is_broken_with_a_reason_and_the_right(self):
        path = self.secret("glass")
        change = {"data": {"tls.crt": "Yg=="}}
        self.check("only certpair", self.api.patch(path, {**change, **REASON}, user=OWNER))
        self.check("only certpair", self.api.patch(path, change))
        self.check("only certpair", self.api.patch(path, {**change, "metadata": {"annotations": {"certpair.dev/break-glass": ""}}}))
        self.check("", self.api.patch(path, {**change, **REASON}))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path))

    def test_The_glass_is_mended_again_by_whoever_may_write_there(self):
        path = self.secret("mended")
        self.check("", self.api.patch(path, REASON))
        note = "certpair.dev/break-glass"
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {note: "another reason"}}}, user=OWNER))
        self.check("only certpair", self.api.patch(path, {"metadata": {"annotations": {note: None}}, "data": {"tls.crt": "Yg=="}}))
        self.check("", self.api.patch(path, {"metadata": {"annotations": {note: None}}}, user=OWNER))
        self.assertNotIn(note, self.api("GET", path)[1]["metadata"]["annotations"])
        self.check("only certpair", self.api("DELETE", path))

    def test_What_outlived_its_system_is_removed_as_the_refusal_says_with_the_right_in_that_namespace(self):
        path = self.secret("outlived")
        status, refusal, _ = self.api("DELETE", path, user=KEEPER)
        self.assertEqual(status, 403)
        for wanted in ("deletionPolicy Retain", "verb breakglass on provisioningsystems in this namespace",
                       "kubectl -n idm annotate secret outlived certpair.dev/break-glass=REASON"):
            self.assertIn(wanted, refusal["message"])
        self.check("", self.api.patch(path, REASON, user=KEEPER))
        self.check("only certpair", self.api("DELETE", path, user=OWNER))
        self.check("", self.api("DELETE", path, user=KEEPER))

    def test_The_operator_writes_no_Secret_but_its_own(self):
        operator = self.operator_api()
        create = SECRETS.format("idm") + "?dryRun=All"
        self.api.create(SECRETS.format("idm"), {"metadata": {"name": "foreign"}, "data": {"a": "YQ=="}})
        foreign = SECRETS.format("idm") + "/foreign?dryRun=All"
        no = "the operator writes only those that carry"
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
                self.check("type kubernetes.io/tls alone", operator("POST", create, other))
        self.check("", operator.patch(SECRETS.format("idm") + "/guarded?dryRun=All", {"data": {"tls.crt": "Yg=="}}))

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

    def test_An_authoritys_status_too_is_written_by_whoever_breaks_the_glass(self):
        """It is in no namespace, and a request for it names none."""
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

    def test_A_system_in_use_is_deleted_only_when_confirmed_by_name(self):
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

    def test_Regeneration_at_a_fingerprint_peer_is_warned_of_and_accepted(self):
        create = SYSTEMS.format("idm") + "?dryRun=All"
        on = {"automaticRegeneration": {"enabled": True}, "peerMatching": "Fingerprint"}
        rows = [("on", on, "upload it to the peer and activate it"), ("held", {**on, "activation": {"atExpiry": "Hold"}}, "the old one expires"),
                ("off", {"peerMatching": "Fingerprint"}, None), ("another peer", {"automaticRegeneration": {"enabled": True}}, None)]
        for what, spec, wanted in rows:
            with self.subTest(what):
                status, _, warnings = self.api("POST", create, system("warned", **spec))
                self.assertEqual(status, 201)
                self.assertEqual(any(wanted in text for text in warnings) if wanted else bool(warnings), bool(wanted), warnings)

    def test_It_is_warned_of_only_where_the_spec_changes(self):
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
            ("a finalizer", {"metadata": {"finalizers": ["example.com/x"]}}, only),
            ("an owner", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}}, only),
        ]
        for what, patch, wanted in rows:
            with self.subTest(what):
                self.check(wanted, self.api.patch(path, patch, user=SUBSCRIBER))
                if wanted:
                    self.check("", self.api.patch(path, patch, user=OWNER))
        entry = {"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem", "metadata": {"name": "mailed"}, **told(anna)}
        self.check("", self.api("PATCH", path + "&fieldManager=anna", entry, user=SUBSCRIBER, kind="application/apply-patch+yaml"))

    def test_Who_edits_changes_systems_and_who_administers_makes_and_removes_them(self):
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

    def test_A_namespace_goes_with_all_that_is_in_it(self):
        self.api.create("/api/v1/namespaces", {"metadata": {"name": "leaving"}})
        self.api.create(SECRETS.format("leaving"), pair_secret("pair"))
        self.check("", self.api("DELETE", "/api/v1/namespaces/leaving", user=None))
        # The controller of this control plane works as the administrator, so we delete as it would on others.
        self.check("", self.api("DELETE", SECRETS.format("leaving") + "/pair", user=NAMESPACE_CONTROLLER, groups=["system:masters"]))


class AuditTest(unittest.TestCase):
    """On a control plane that keeps an audit log."""

    def test_Who_breaks_the_glass_and_why_stands_in_the_audit_log(self):
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
