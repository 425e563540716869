"""What the operator's own token may do, in both modes, and what it may not."""
import unittest

import yaml

from chart import AUTHORITIES, NAMESPACE, OPERATIONS, ROOT, SECRETS, SYSTEMS, ReleaseTest, only, pair_secret, render, system

EVENTS = "/api/v1/namespaces/{}/events"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
ROLES = "/apis/rbac.authorization.k8s.io/v1"
DRY = "?dryRun=All"


def event(namespace):
    return {"metadata": {"generateName": "x-", "namespace": namespace}, "involvedObject": {"kind": "Pod", "namespace": namespace}, "reason": "Test"}


OPERATION = {"apiVersion": "certpair.dev/v1", "kind": "CertificateOperation", "metadata": {"name": "there"},
             "spec": {"systemRef": {"name": "there"}, "action": "Generate"}}

# (verb, path, body): {} stands for the namespace of the systems. PUT brings what is there, since a Lease wants its version.
NEEDED = [
    ("GET", AUTHORITIES, None), ("GET", "/api/v1/namespaces", None),
    ("GET", SYSTEMS, None), ("GET", OPERATIONS, None), ("GET", SECRETS, None), ("GET", SECRETS + "/pair", None),
    ("POST", SECRETS + DRY, pair_secret("made")), ("PATCH", SECRETS + "/pair" + DRY, {"data": {"tls.crt": "Yg=="}}),
    ("PATCH", SYSTEMS + "/there/status" + DRY, {"status": {"observedGeneration": 1}}),
    ("PATCH", OPERATIONS + "/there/status" + DRY, {"status": {"fingerprint": ":".join(["AB"] * 32)}}), ("DELETE", OPERATIONS + "/there" + DRY, None),
    ("PATCH", OPERATIONS + "/there" + DRY, {"metadata": {"annotations": {"certpair.dev/finished": "x"}}}),
    ("GET", SECRETS.format(NAMESPACE), None), ("POST", SECRETS.format(NAMESPACE) + DRY, pair_secret("certpair-ca-x")),
    ("GET", LEASES.format(NAMESPACE) + "/certpair-controller", None),
    ("PUT", LEASES.format(NAMESPACE) + "/certpair-controller" + DRY, None),
    ("POST", LEASES.format(NAMESPACE) + DRY, {"metadata": {"generateName": "certpair-controller-"}}),  # a name that does not exist yet
    ("POST", EVENTS.format("default") + DRY, event("default")),
]

# Denied in both modes.
NEVER = [
    ("DELETE", SECRETS + "/pair", None), ("DELETE", SECRETS, None), ("PUT", SECRETS + "/pair", None),
    ("POST", SYSTEMS, system("mine")), ("PATCH", SYSTEMS + "/there", {"spec": {"displayName": "x"}}), ("DELETE", SYSTEMS + "/there", None),
    ("PATCH", AUTHORITIES + "/x", {"spec": {"allow": []}}), ("DELETE", AUTHORITIES + "/x", None), ("POST", AUTHORITIES, {}),
    ("POST", OPERATIONS, {}), ("PUT", OPERATIONS + "/there", {}),
    ("GET", "/api/v1/nodes", None), ("GET", "/api/v1/pods", None), ("GET", "/api/v1/namespaces/{}/configmaps", None),
    ("POST", "/api/v1/namespaces/{}/pods", {}), ("POST", "/api/v1/namespaces/kube-system/serviceaccounts/default/token", {}),
    ("POST", "/api/v1/namespaces", {"metadata": {"name": "mine"}}), ("DELETE", "/api/v1/namespaces/other", None),
    ("GET", ROLES + "/clusterroles", None), ("POST", ROLES + "/clusterrolebindings", {}), ("POST", ROLES + "/namespaces/{}/rolebindings", {}),
    ("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", None),
    ("PATCH", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/provisioningsystems.certpair.dev", {}),
    ("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/certpair-operator", None),
    ("PATCH", ROLES + "/clusterroles/certpair-controller", {"rules": []}), ("PATCH", ROLES + "/clusterrolebindings/certpair-controller", {}),
    ("PATCH", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/certpair-controller", {"spec": {"replicas": 9}}),
    ("GET", "/api/v1/namespaces/{}/pods/x/log", None), ("POST", "/api/v1/namespaces/{}/pods/x/exec", {}), ("GET", "/api/v1/nodes/x/proxy/metrics", None),
    ("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/certpair-controller/token", {}), ("POST", "/api/v1/namespaces/{}/serviceaccounts", {}),
    ("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", {}), ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {}),
    ("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {}), ("GET", "/apis/policy/v1/poddisruptionbudgets", None),
    ("PATCH", "/api/v1/namespaces/{}", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}),
    ("PATCH", LEASES.format(NAMESPACE) + "/certpair-controller", {}), ("GET", LEASES.format(NAMESPACE), None),
    ("GET", LEASES.format(NAMESPACE) + "/another", None), ("PUT", LEASES.format(NAMESPACE) + "/another", None),
    ("GET", LEASES.format("kube-system"), None), ("DELETE", LEASES.format(NAMESPACE) + "/certpair-controller", None),
    ("GET", EVENTS, None), ("DELETE", EVENTS, None),
]

# Denied where only some namespaces are watched.
ELSEWHERE = [
    ("GET", "/api/v1/secrets", None), ("GET", SECRETS.format("other"), None), ("GET", SECRETS.format("other") + "/x", None),
    ("GET", SECRETS.format("kube-system"), None), ("POST", SECRETS.format("other"), pair_secret("x")),
    ("PATCH", SECRETS.format("other") + "/x", {}), ("GET", SYSTEMS.format("other"), None),
    ("GET", "/apis/certpair.dev/v1/provisioningsystems", None), ("PATCH", SYSTEMS.format("other") + "/x/status", {}),
    ("POST", EVENTS.format("other"), event("other")), ("DELETE", OPERATIONS.format("other") + "/x", None),
]


class Rights:
    """Once a mode; the tables are the same."""

    def setUp(self):
        self.token = self.operator_api()
        self.api.create(SYSTEMS.format("idm"), system("there"))
        self.api.create(OPERATIONS.format("idm"), OPERATION)
        self.api.create(SECRETS.format("idm"), pair_secret("pair"))
        for name in ("certpair-controller", "another"):
            self.api.create(LEASES.format(NAMESPACE), {"metadata": {"name": name}})

    def answer(self, row):
        verb, path, body = row
        path = path.format("idm")
        if verb == "PUT":
            body = self.api("GET", path.removesuffix(DRY))[1]
        return self.token.patch(path, body) if verb == "PATCH" else self.token(verb, path, body)

    def test_The_operator_has_the_rights_that_it_needs(self):
        for row in NEEDED:
            with self.subTest(row[:2]):
                status, answer, _ = self.answer(row)
                self.assertLess(status, 300, answer)

    def denied(self, rows):
        for row in rows:
            with self.subTest(row[:2]):
                status, answer, _ = self.answer(row)
                self.assertEqual(status, 403, answer)
                self.assertIn("cannot", answer["message"])

    def test_The_operator_has_no_other_rights(self):
        self.denied(NEVER)

    def test_The_operator_cannot_impersonate(self):
        status, answer, _ = self.token("GET", "/api/v1/namespaces", user="admin", groups=["system:masters"])
        self.assertEqual(status, 403, answer)
        self.assertIn("cannot impersonate", answer["message"])


class ClusterWideTest(Rights, ReleaseTest):
    def test_The_operator_reads_Secrets_of_every_namespace(self):
        self.assertEqual(self.token("GET", "/api/v1/secrets?limit=1")[0], 200)


class NamespacesOnlyTest(Rights, ReleaseTest):
    values = {"watchNamespaces": ["idm"]}

    def test_The_operator_cannot_reach_other_namespaces(self):
        self.denied(ELSEWHERE)


class RulesTest(unittest.TestCase):
    @staticmethod
    def flat(rules):
        """With the name that a rule is bound to."""
        return {(group, resource, name, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]
                for name in rule.get("resourceNames", ["any"]) for verb in rule["verbs"]}

    def test_The_chart_grants_what_config_rbac_yaml_grants(self):
        by_hand = [d for d in yaml.safe_load_all((ROOT / "config/rbac.yaml").read_text()) if d]
        for kind in ("ClusterRole", "Role"):
            self.assertEqual(self.flat(only(render(), kind, "certpair-controller")["rules"]),
                             self.flat(only(by_hand, kind, "certpair-controller")["rules"]))

    def test_The_chart_has_the_roles_of_config_roles_yaml(self):
        by_hand = [d for d in yaml.safe_load_all((ROOT / "config/roles.yaml").read_text()) if d]
        rendered = render()
        for role in by_hand:
            self.assertEqual(only(rendered, role["kind"], role["metadata"]["name"]), role)

    def test_With_watched_namespaces_no_ClusterRole_covers_Secrets(self):
        for role in (d for d in render({"watchNamespaces": ["idm"], "roles": {"people": False}}) if d["kind"] == "ClusterRole"):
            self.assertNotIn("secrets", {resource for _, resource, *_ in self.flat(role["rules"])}, role["metadata"]["name"])

    def test_No_role_has_a_wildcard(self):
        for values in ({}, {"watchNamespaces": ["idm"]}):
            for role in (d for d in render(values) if d["kind"] in ("ClusterRole", "Role")):
                self.assertNotIn("*", {part for right in self.flat(role["rules"]) for part in right}, role["metadata"]["name"])


if __name__ == "__main__":
    unittest.main()
