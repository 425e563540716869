"""Installation, upgrade, rollback and uninstall, as far as a cluster without pods can show them."""
import itertools
import random
import tempfile
import unittest

import yaml

import chart_versions
from chart import (AUTHORITIES, CHART, Cluster, NAMESPACE, OPERATOR, ROOT, SECRETS, SYSTEMS, ReleaseTest, cluster, eventually, only, pair_secret,
                   render, system)

KINDS = ("provisioningsystems", "certificateoperations", "certificateauthorities")

# Settings, each with values that differ from the default.
SWITCHES = {
    "mail": {"smtp": {"server": "mail.example.com:465", "from": "a@example.com", "tls": "tls", "rate": 30}},
    "mail's Secrets": {"smtp": {"credentialsSecret": {"name": "s"}, "caSecret": {"name": "c"}}},
    "namespaces": {"watchNamespaces": ["idm", "other"]},
    "one replica": {"replicas": 1},
    "no budget": {"podDisruptionBudget": {"enabled": False}},
    "bounded otherwise": {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}}},
    "digest": {"image": {"digest": "sha256:" + "a" * 64, "pullSecrets": ["p"]}},
    "no kinds": {"crds": {"install": False}},
    "no policies": {"policies": {"enabled": False}},
    "strict policies": {"policies": {"confirmDelete": True, "subscriberIsUser": True}},
    "no roles": {"roles": {"people": False}},
    "open network": {"networkPolicy": {"enabled": False}},
    "closed network": {"networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "apiServer": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
                                         "extraEgress": [{"ports": [{"port": 443}]}]}},
    "monitoring": {"metrics": {"serviceMonitor": {"enabled": True, "labels": {"a": "b"}}, "prometheusRule": {"enabled": True, "labels": {"a": "b"}},
                               "dashboard": {"enabled": True}}},
    "generated authority": {"authority": {"create": True, "allow": [{"namespaces": {"names": ["idm"]}, "commonNames": ["*"]}]}},
    "its Secret": {"authority": {"secretName": "corporate"}},
    "placed": {"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}], "affinity": {"podAntiAffinity": {}},
               "priorityClassName": "system-cluster-critical", "podLabels": {"a": "b"}, "podAnnotations": {"a": "b"}},
    "named": {"clusterName": "Prod 1", "serviceAccount": {"annotations": {"a": "b"}}},
    "other settings": {"controller": {"automaticRegeneration": "unsupported", "logLevel": "debug", "logFormat": "text", "keyThreads": 0}},
}


def merged(parts):
    """Merges values of SWITCHES, which have two levels."""
    values = {}
    for part in parts:
        for name, value in part.items():
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
    return values


def pairwise(names, seed=7):
    """Rows of on and off in which each two switches have all four combinations."""
    chance = random.Random(seed)
    missing = {(a, x, b, y) for a, b in itertools.combinations(names, 2) for x in (0, 1) for y in (0, 1)}
    rows = []
    while missing:
        def gain(row):
            return sum(1 for a, x, b, y in missing if row[a] == x and row[b] == y)
        best = max(({name: chance.randint(0, 1) for name in names} for _ in range(60)), key=gain)
        if gain(best) == 0:
            a, x, b, y = next(iter(missing))
            best.update({a: x, b: y})
        rows.append(best)
        missing -= {(a, x, b, y) for a, x, b, y in missing if best[a] == x and best[b] == y}
    return rows


MONITORING = [{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{kind.lower()}s.monitoring.coreos.com"},
               "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced",
                        "names": {"kind": kind, "plural": f"{kind.lower()}s"},
                        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                            "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
              for kind in ("ServiceMonitor", "PrometheusRule")]


class CombinationsTest(ReleaseTest):
    def test_The_API_server_accepts_each_pair_of_settings(self):
        for crd in MONITORING:
            self.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        eventually(lambda: all(self.api("GET", f"/apis/monitoring.coreos.com/v1/{kind}s")[0] == 200 for kind in ("servicemonitor", "prometheusrule")),
                   "the kinds of Prometheus are not served")
        rows = [dict.fromkeys(SWITCHES, 0), dict.fromkeys(SWITCHES, 1), *pairwise(list(SWITCHES))]
        for row in rows:
            on = [name for name, value in row.items() if value]
            objects = render(merged(SWITCHES[name] for name in on))
            if on:  # the CRDs are the same in all, and the most expensive to check
                objects = [o for o in objects if o["kind"] != "CustomResourceDefinition"]
            answer = self.cluster.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", input=yaml.safe_dump_all(objects))
            with self.subTest(on):
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertNotIn("PodSecurity", answer.stderr)
                self.assertEqual(answer.stdout.count("serverside-applied"), len(objects))

    def test_The_pod_fits_Pod_Security_restricted(self):
        pod = only(render(), "Deployment")["spec"]["template"]
        pod = {"metadata": {"name": "certpair"}, "spec": pod["spec"]}
        path = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
        eventually(lambda: self.api("POST", path, pod)[0] == 201, self.api("POST", path, pod)[1])
        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        self.assertIn("violates PodSecurity", self.api("POST", path, pod)[1]["message"])

    def test_A_second_release_is_refused(self):
        for words in (("second", "--namespace", "other"), ("second", "--namespace", NAMESPACE)):
            answer = self.cluster.helm("install", words[0], CHART, *words[1:])
            self.assertNotEqual(answer.returncode, 0)
            self.assertIn("release certpair in namespace certpair-system", answer.stderr)


class NamespacesTest(ReleaseTest):
    def test_A_missing_watched_namespace_is_added_later(self):
        told = self.upgrade({"watchNamespaces": ["idm", "late"]})
        self.assertIn("NOTE: namespace late does not exist", told)
        self.assertIn("--watch-namespaces=idm", self.arguments())
        self.api.create("/api/v1/namespaces", {"metadata": {"name": "late"}})
        self.assertNotIn("NOTE: namespace", self.upgrade({"watchNamespaces": ["idm", "late"]}))
        self.assertIn("--watch-namespaces=idm,late", self.arguments())
        self.assertEqual(self.api("GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/late/roles/certpair-controller-systems")[0], 200)

    def test_Without_any_watched_namespace_the_release_is_refused(self):
        with self.assertRaisesRegex(AssertionError, "none of nowhere exists"):
            self.upgrade({"watchNamespaces": ["nowhere"]})

    def arguments(self):
        _, deployment, _ = self.api("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/certpair-controller")
        return deployment["spec"]["template"]["spec"]["containers"][0]["args"]


class NotesTest(ReleaseTest):
    def test_Notes_name_the_missing_Secrets(self):
        told = self.upgrade({"smtp": {"server": "mail.example.com:587", "from": "a@example.com", "credentialsSecret": {"name": "smtp-missing"}},
                             "authority": {"create": True, "name": "corporate", "secretName": "ca-missing"}})
        self.assertIn("NOTE: Secret certpair-system/smtp-missing (smtp) does not exist", told)
        self.assertIn("NOTE: Secret certpair-system/ca-missing (the authority's key pair) does not exist", told)

    def test_The_first_authority_is_created_once_and_never_changed(self):
        values = {"authority": {"create": True, "name": "first"}}
        self.upgrade(values)
        self.api.patch(AUTHORITIES + "/first", {"spec": {"allow": [{"namespaces": {"all": True}, "commonNames": ["x"]}]}})
        before = self.api("GET", AUTHORITIES + "/first")[1]["metadata"]
        self.upgrade(values)
        self.upgrade({})
        after = self.api("GET", AUTHORITIES + "/first")[1]
        self.assertEqual((after["metadata"]["uid"], after["metadata"]["generation"]), (before["uid"], before["generation"]))


class OlderClusterTest(unittest.TestCase):
    def test_A_cluster_without_policies_gets_none_and_a_note(self):
        plugins = "ValidatingAdmissionPolicy,MutatingAdmissionPolicy,ValidatingAdmissionWebhook,MutatingAdmissionWebhook"
        older = Cluster("--kcm-off", "--api-arg", "--runtime-config=admissionregistration.k8s.io/v1=false",
                        "--api-arg", f"--disable-admission-plugins={plugins}")
        self.addCleanup(older.down)
        answer = older.helm("install", "certpair", CHART, "--namespace", NAMESPACE)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("NOTE: this cluster has no ValidatingAdmissionPolicy", answer.stdout)
        _, role, _ = older.api("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/certpair-subscriber")
        self.assertNotIn("patch", role["rules"][0]["verbs"])


class RightsToInstallTest(unittest.TestCase):
    """An installer with all rights except to write policies."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster()
        cls.api = cls.cluster.api
        cls.cluster.helm("uninstall", "certpair", "--namespace", NAMESPACE, "--ignore-not-found")
        groups = ["", "apps", "policy", "apiextensions.k8s.io", "networking.k8s.io", "rbac.authorization.k8s.io", "coordination.k8s.io", "certpair.dev"]
        roles = "/apis/rbac.authorization.k8s.io/v1"
        cls.api.create(roles + "/clusterroles", {"metadata": {"name": "installer"}, "rules": [
            {"apiGroups": groups, "resources": ["*"], "verbs": ["*"]}]})
        cls.api.create(roles + "/clusterroles", {"metadata": {"name": "policy-reader"}, "rules": [
            {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]}]})
        for user, names in (("blind@example.com", ["installer"]), ("reader@example.com", ["installer", "policy-reader"])):
            for name in names:
                cls.api.create(roles + "/clusterrolebindings", {
                    "metadata": {"name": f"{name}-{user.split('@')[0]}"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})

    def tearDown(self):
        self.cluster.helm("uninstall", "certpair", "--namespace", NAMESPACE, "--ignore-not-found")

    def install(self, user, *words):
        return self.cluster.helm("upgrade", "--install", "certpair", CHART, "--namespace", NAMESPACE, "--kube-as-user", user, *words)

    def test_Without_the_right_to_read_policies_nothing_is_created(self):
        answer = self.install("blind@example.com")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn('User "blind@example.com" cannot get resource "validatingadmissionpolicies"', answer.stderr)
        self.assertEqual(self.api("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/certpair-controller")[0], 404)

    def test_Without_the_right_to_create_policies_turn_them_off(self):
        answer = self.install("reader@example.com")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn('User "reader@example.com" cannot', answer.stderr)
        self.assertIn('"validatingadmissionpolicies"', answer.stderr)
        answer = self.install("blind@example.com", "--set", "policies.enabled=false")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("NOTE: policies.enabled=false", answer.stdout)


class HandMadeTest(unittest.TestCase):
    """An operator with the rights of config/."""

    def test_An_operator_set_up_by_hand_elsewhere_is_detected(self):
        here = cluster()
        here.helm("uninstall", "certpair", "--namespace", NAMESPACE, "--ignore-not-found")
        rights = [d for d in yaml.safe_load_all((ROOT / "config" / "rbac.yaml").read_text()) if d["metadata"]["name"] == "certpair-controller"
                  and d["kind"] in ("ClusterRole", "ClusterRoleBinding")]
        self.assertEqual(len(rights), 2)
        for thing in rights:
            path = f"/apis/rbac.authorization.k8s.io/v1/{thing['kind'].lower()}s"
            here.api.create(path, thing)
            self.addCleanup(here.api, "DELETE", f"{path}/certpair-controller")
        words = ("install", "certpair", CHART, "--take-ownership", "--force-conflicts", "--dry-run=server")
        answer = here.helm(*words, "--namespace", "other")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("set up without Helm has its rights in namespace certpair-system", answer.stderr)
        answer = here.helm(*words, "--namespace", NAMESPACE)
        self.assertEqual(answer.returncode, 0, answer.stderr)


class LifeTest(unittest.TestCase):
    """Upgrades and rollbacks between versions of the chart, and the uninstall."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster()
        cls.api = cls.cluster.api
        cls.cluster.helm("uninstall", "certpair", "--namespace", NAMESPACE, "--ignore-not-found")

    def must(self, *words):
        answer = self.cluster.helm(*words, "--namespace", NAMESPACE)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return answer.stdout

    def await_version(self, version):
        eventually(lambda: chart_versions.serves(self.api, "idm", version), f"the kinds of {version} are not served")
        _, deployment, _ = self.api("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/certpair-controller")
        self.assertTrue(deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":" + version))
        path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/" + chart_versions.POLICY
        self.assertEqual(self.api("GET", path)[0], 404 if version == chart_versions.OLDER else 200)

    def write_status(self, status):
        """A merge patch of the fields that the operator knows, as it writes them. Returns the stored status."""
        code, answer, _ = self.api.patch(SYSTEMS.format("idm") + "/old/status", {"status": status}, user=OPERATOR, groups=["system:masters"])
        self.assertEqual(code, 200, answer)
        return answer["status"]

    def test_Upgrades_and_rollbacks_keep_systems_Secrets_and_status(self):
        with tempfile.TemporaryDirectory() as folder:
            older, newer = chart_versions.older(folder), chart_versions.newer(folder)
            self.must("install", "certpair", older)
            eventually(lambda: self.api("GET", SYSTEMS.format("idm"))[0] == 200, "the kinds are not served")
            self.api.create(SYSTEMS.format("idm"), system("old"))
            self.api.create(SECRETS.format("idm"), pair_secret("old-outbound"))
            uid = self.api("GET", SYSTEMS.format("idm") + "/old")[1]["metadata"]["uid"]
            self.await_version(chart_versions.OLDER)
            self.must("upgrade", "certpair", CHART, "--reuse-values")
            self.await_version(chart_versions.present())
            self.must("upgrade", "certpair", newer)
            self.await_version(chart_versions.NEWER)
            self.write_status({**chart_versions.FUTURE, "nextTransition": {"action": "Expire"}})

            # An older operator with newer CRDs, as during an upgrade; then with its own again.
            for generation, step in enumerate((None, ("rollback", "certpair", "2"), ("rollback", "certpair", "1"), ("upgrade", "certpair", newer),
                                               ("rollback", "certpair", "1"), ("upgrade", "certpair", CHART))):
                if step:
                    self.must(*step)
                    self.await_version({"2": chart_versions.present(), "1": chart_versions.OLDER, newer: chart_versions.NEWER,
                                        CHART: chart_versions.present()}[step[2]])
                with self.subTest(step):
                    status = self.write_status({"observedGeneration": generation, "notifications": {"sent": [f"{generation}"]}})
                    self.assertEqual(status["fromTheFuture"], "kept")
                    self.assertEqual(status["notifications"], {"fromTheFuture": "kept", "sent": [f"{generation}"]})
                    self.assertEqual(status["nextTransition"], {"action": "Expire"})

            self.must("uninstall", "certpair")
            self.assertEqual(self.api("GET", SYSTEMS.format("idm") + "/old")[1]["metadata"]["uid"], uid)
            self.assertEqual(self.api("GET", SECRETS.format("idm") + "/old-outbound")[0], 200)
            self.assertEqual(self.api("GET", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/certpair-secrets")[0], 404)

            # A new installation adopts what an uninstall left, and upgrades CRDs of another version.
            self.must("install", "certpair", newer)
            self.await_version(chart_versions.NEWER)
            self.must("uninstall", "certpair")
            self.must("install", "certpair", CHART)
            self.await_version(chart_versions.present())
            self.assertEqual(self.api("GET", SYSTEMS.format("idm") + "/old")[1]["metadata"]["uid"], uid)
            self.must("uninstall", "certpair")

    def test_CRDs_applied_by_hand_are_refused_or_taken_over(self):
        self.remove_kinds()
        applied = self.cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds")
        self.assertEqual(applied.returncode, 0, applied.stderr)
        words = ("install", "certpair", CHART, "--namespace", NAMESPACE)
        answer = self.cluster.helm(*words)
        self.assertIn("invalid ownership metadata", answer.stderr)
        self.must(*words[:3], "--set", "crds.install=false")
        self.must("uninstall", "certpair")
        self.must(*words[:3], "--take-ownership", "--force-conflicts")
        self.must("uninstall", "certpair")

    def test_CRDs_with_objects_in_a_newer_version_are_refused(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.remove_kinds()
                self.must("install", "certpair", CHART)
                self.must("uninstall", "certpair")
                path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.certpair.dev"
                one = self.api("GET", path)[1]["spec"]["versions"][0]
                versions = [{**one, "storage": False}, {**one, "name": "v2"}]
                self.assertEqual(self.api.patch(path, {"spec": {"versions": versions}})[0], 200)
                eventually(lambda path=path: "v2" in self.api("GET", path)[1]["status"]["storedVersions"], "nothing is kept in v2")
                answer = self.cluster.helm("install", "certpair", CHART, "--namespace", NAMESPACE)
                self.assertNotEqual(answer.returncode, 0)
                self.assertIn(f"this cluster keeps {kind}.certpair.dev in version v2, which this chart does not have", answer.stderr)
                self.assertEqual(self.api("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/certpair-controller")[0], 404)
                self.must("install", "certpair", CHART, "--set", "crds.install=false")
                self.must("uninstall", "certpair")
        self.remove_kinds()

    def test_Without_CRDs_crds_install_false_is_refused(self):
        self.remove_kinds()
        answer = self.cluster.helm("install", "certpair", CHART, "--namespace", NAMESPACE, "--set", "crds.install=false")
        self.assertIn("First apply crds/ of this version", answer.stderr)
        applied = self.cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds" / "certpair.dev_provisioningsystems.yaml")
        self.assertEqual(applied.returncode, 0, applied.stderr)
        answer = self.cluster.helm("install", "certpair", CHART, "--namespace", NAMESPACE, "--set", "crds.install=false")
        self.assertIn("does not serve certificateauthorities.certpair.dev, certificateoperations.certpair.dev in version v1", answer.stderr)
        self.remove_kinds()

    def remove_kinds(self):
        for name in KINDS:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}.certpair.dev"
            self.api("DELETE", path)
            eventually(lambda path=path: self.api("GET", path)[0] == 404, f"{path} does not go")


if __name__ == "__main__":
    unittest.main()
