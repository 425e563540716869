"""What the chart renders, without a cluster: values, hardening, and texts that must be true."""
import json
import pathlib
import re
import shutil
import tempfile
import unittest

import yaml

import chart_versions
from chart import CHART, NAMESPACE, ROOT, helm, only, optional_program, render, run

MAIL = {"smtp": {"server": "mail.example.com:587", "from": "certpair@example.com", "credentialsSecret": {"name": "smtp"},
                 "caSecret": {"name": "smtp-ca"}}}
MONITORED = {"metrics": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}}


class LintTest(unittest.TestCase):
    def test_helm_lint_strict_finds_nothing(self):
        for words in ((), ("--set", "watchNamespaces={idm},metrics.prometheusRule.enabled=true,authority.create=true")):
            answer = helm("lint", "--strict", CHART, *words)
            self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)

    def test_A_packaged_chart_renders_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            answer = helm("package", CHART, "--destination", folder)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            package = next(pathlib.Path(folder).glob("*.tgz"))
            self.assertEqual(render(MONITORED, chart=package), render(MONITORED))


class ScanTest(unittest.TestCase):
    """kube-score finds nothing, not even to warn of. What checkov would say is answered in annotations, see HardeningTest."""

    @classmethod
    def setUpClass(cls):
        cls.program = optional_program("kube-score", "the chart's scan")

    def findings(self, objects):
        answer = run([self.program, "score", "--output-format", "ci", "--exit-one-on-warning", "-"], input=yaml.safe_dump_all(objects))
        lines = answer.stdout.splitlines()
        self.assertTrue(any(line.startswith("[OK]") and "apps/v1/Deployment" in line for line in lines), answer.stdout + answer.stderr)
        return [line for line in lines if not line.startswith(("[OK]", "[SKIPPED]"))]

    def test_A_scanner_finds_nothing(self):
        for values in ({}, MAIL, MONITORED, {"watchNamespaces": ["idm"]}):
            with self.subTest(values=values):
                self.assertEqual(self.findings(render(values)), [])

    def test_The_scanner_finds_a_container_without_resources(self):
        objects = render()
        only(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"] = {}
        self.assertTrue(any("CRITICAL" in line and "Deployment" in line for line in self.findings(objects)))


# (values, the name in the refusal)
REFUSED = [
    ({"replica": 3}, "replica"),
    ({"replicas": "two"}, "/replicas"),
    ({"replicas": -1}, "/replicas"),
    ({"replicas": 11}, "/replicas"),
    ({"image": {"tag": "a b"}}, "/image/tag"),
    ({"image": {"digest": "sha256:12"}}, "/image/digest"),
    ({"image": {"repository": ""}}, "/image/repository"),
    ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
    ({"watchNamespaces": "idm"}, "/watchNamespaces"),
    ({"watchNamespaces": ["idm,other"]}, "/watchNamespaces/0"),
    ({"watchNamespaces": ["idm", "idm"]}, "/watchNamespaces"),
    ({"controller": {"logLevel": "loud"}}, "/controller/logLevel"),
    ({"controller": {"workers": 0}}, "/controller/workers"),
    ({"controller": {"leaderElection": {"leaseDuration": "15"}}}, "/leaseDuration"),
    ({"controller": {"automaticRegeneration": True}}, "/automaticRegeneration"),
    ({"controller": {"extraArgs": ["--x"]}}, "extraArgs"),
    ({"controller": {"secretMetadataAllow": ["*"]}}, "/secretMetadataAllow/0"),
    ({"controller": {"secretMetadataAllow": ["a,b"]}}, "/secretMetadataAllow/0"),
    ({"controller": {"secretMetadataAllow": ["app.kubernetes.io/name"]}}, "/secretMetadataAllow/0"),
    ({"controller": {"secretMetadataAllow": ["certpair.dev/*"]}}, "/secretMetadataAllow/0"),
    ({"smtp": {"server": "mail.example.com"}}, "/smtp/server"),
    ({"smtp": {"password": "secret"}}, "password"),
    ({"smtp": {"tls": "maybe"}}, "/smtp/tls"),
    ({"smtp": {"inFlight": 0}}, "/smtp/inFlight"),
    ({"smtp": {"rate": -1}}, "/smtp/rate"),
    ({"smtp": {"namespaceRate": -1}}, "/smtp/namespaceRate"),
    ({"smtp": {"addressRate": 100001}}, "/smtp/addressRate"),
    ({"smtp": {"heloName": "a b"}}, "/smtp/heloName"),
    ({"smtp": {"heloName": "a.example."}}, "/smtp/heloName"),
    ({"smtp": {"server": "mail.example.com:65536"}}, "/smtp/server"),
    ({"smtp": {"server": "-mail.example.com:25"}}, "/smtp/server"),
    ({"smtp": {"from": "Certpair <certpair@example.com"}}, "/smtp/from"),
    ({"smtp": {"from": "certpair@example.com>"}}, "/smtp/from"),
    ({"clusterName": "a\nb"}, "/clusterName"),
    ({"authority": {"secretName": "No_Such"}}, "/authority/secretName"),
    ({"authority": {"allow": [{}]}}, "/authority/allow/0"),
    ({"policies": {"confirmDelete": "yes"}}, "/policies/confirmDelete"),
    ({"resources": {"limits": {"memory": "lots"}}}, "/resources/limits/memory"),
    ({"networkPolicy": {"apiServerPorts": [0]}}, "/apiServerPorts/0"),
    ({"networkPolicy": {"metricsFrom": [{"nodeSelector": {}}]}}, "/metricsFrom/0"),
    ({"metrics": {"serviceMonitor": {"interval": "often"}}}, "/interval"),
    ({"podLabels": {"a": 1}}, "/podLabels/a"),
    ({"podLabels": {"app.kubernetes.io/instance": "mine"}}, "app.kubernetes.io/instance"),
    ({"metrics": {"serviceMonitor": {"labels": {"app.kubernetes.io/name": "mine"}}}}, "app.kubernetes.io/name"),
    ({"controller": {"workers": None}}, "'workers'"),
    ({"affinity": {"hostAffinity": {}}}, "hostAffinity"),
]


# The schema cannot express these; the chart refuses them when it renders: (values, text of the refusal)
UNFIT = [
    ({"smtp": {"server": "mail.example.com:587"}}, "smtp.from is empty. Set it"),
    ({"smtp": {**MAIL["smtp"], "tls": "none", "caSecret": {"name": ""}}}, "smtp.credentialsSecret: with smtp.tls=none the password would be sent in clear"),
    ({"smtp": {**MAIL["smtp"], "tls": "none", "credentialsSecret": {"name": ""}}}, "smtp.caSecret: with smtp.tls=none there is no certificate to check"),
    ({"controller": {"leaderElection": {"leaseDuration": "10s"}}}, r"leaseDuration \(10s\) must be longer than renewDeadline \(10s\)"),
    ({"controller": {"leaderElection": {"leaseDuration": "1m", "renewDeadline": "61s"}}}, r"leaseDuration \(1m\) must be longer than renewDeadline \(61s\)"),
    ({"controller": {"leaderElection": {"retryPeriod": "6s"}}}, r"at least twice retryPeriod \(6s\)"),
    ({"controller": {"leaderElection": {"retryPeriod": "0s"}}}, "retryPeriod must not be 0"),
    ({"metrics": {"prometheusRule": {"enabled": True, "expiringDays": 3}}}, r"notRenewedDays \(3\) must be less than expiringDays \(3\)"),
]


def merge(into, values):
    """Merges, and returns True, if no value is in both."""
    clash = any(name in into and not (isinstance(into[name], dict) and isinstance(value, dict) and merge(dict(into[name]), value))
                for name, value in values.items())
    if not clash:
        for name, value in values.items():
            if name in into:
                merge(into[name], value)
            else:
                into[name] = value
    return not clash


class ValuesTest(unittest.TestCase):
    def test_Values_that_the_schema_forbids_are_refused_by_name(self):
        """The schema reports all faults at once, so values that do not overlap share a run of helm."""
        runs = []
        for values, wanted in REFUSED:
            for run in runs:
                if merge(run[0], values):
                    run[1].append(wanted)
                    break
            else:
                runs.append((json.loads(json.dumps(values)), [wanted]))
        for values, wanted in runs:
            with self.assertRaises(AssertionError) as refusal:
                render(values)
            for name in wanted:
                self.assertIn(name, str(refusal.exception), values)

    def test_Each_value_of_a_wrong_type_is_refused_by_name(self):
        paths = []

        def wrong(value, path):
            if isinstance(value, dict) and value and path.rsplit("/", 1)[-1] not in ("limits", "requests", "labels"):
                return {name: wrong(child, f"{path}/{name}") for name, child in value.items()}
            paths.append(path)
            return {"no": "text"} if isinstance(value, str) else "no"
        values = wrong(yaml.safe_load((CHART / "values.yaml").read_text()), "")
        with self.assertRaises(AssertionError) as refusal:
            render(values)
        told = str(refusal.exception)
        self.assertEqual([path for path in paths if f"at '{path}'" not in told and f"at '{path}/" not in told], [], told)

    def test_Values_that_do_not_go_together_are_refused_by_name(self):
        for values, wanted in UNFIT:
            with self.subTest(values), self.assertRaisesRegex(AssertionError, wanted):
                render(values)

    def test_Values_that_just_go_together_are_accepted(self):
        render({"smtp": {"server": "mail.example.com:25", "from": "a@example.com", "tls": "none"},
                "controller": {"leaderElection": {"leaseDuration": "1h0m1s", "renewDeadline": "1h", "retryPeriod": "030m"}},
                "metrics": {"prometheusRule": {"enabled": True, "expiringDays": 2, "notRenewedDays": 1}}})
        render({"metrics": {"prometheusRule": {"expiringDays": 1}}})  # no rule is made of it

    def test_A_removed_default_is_refused_by_name(self):
        """With null, as helm removes a value. Labels, resources, empty values and values that came later may be removed."""
        leaves, objects = [], []

        def without(value, path, last):
            """`value` with its leaves (or, of what is two deep, its objects) taken away."""
            if not isinstance(value, dict):
                leaves.append(path)
                return None
            inner = {name: child for name, child in value.items() if child not in ("", [], {}) and name not in ("labels", "resources")}
            if not last and path.count("/") == 2:
                objects.append(path)
                return None
            return {name: without(child, f"{path}/{name}", last) for name, child in inner.items() if last or isinstance(child, dict)}
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        for last, paths in ((True, leaves), (False, objects)):
            with self.assertRaises(AssertionError) as refusal:
                render(without(defaults, "", last))
            told = {(line.split("'")[1], name) for line in str(refusal.exception).splitlines() if "missing propert" in line
                    for name in re.findall(r"'([A-Za-z]+)'", line.split("missing propert", 1)[1])}
            self.assertGreater(len(paths), 4)
            later = [f"/{group}/{name}" for group, names in chart_versions.LATER.items() for name in names]
            self.assertEqual([path for path in paths if tuple(path.rsplit("/", 1)) not in told and path not in later], [], refusal.exception)

    def test_Values_that_look_like_other_YAML_types_stay_text(self):
        values = {"smtp": {**MAIL["smtp"], "from": "Ops: certpair #1 <certpair@example.com>", "caSecret": {"name": "0x10"},
                           "credentialsSecret": {"name": "100"}},
                  "watchNamespaces": ["123", "null"], "clusterName": "No 1", "priorityClassName": "1", "image": {"pullSecrets": ["2"]},
                  "authority": {"create": True, "name": "3", "secretName": "4"}}
        rendered = render(values)
        pod = only(rendered, "Deployment")["spec"]["template"]["spec"]
        args = pod["containers"][0]["args"]
        self.assertTrue(all(isinstance(word, str) for word in args), args)
        for wanted in ("--smtp-from=Ops: certpair #1 <certpair@example.com>", "--watch-namespaces=123,null", "--cluster-name=No 1"):
            self.assertIn(wanted, args)
        self.assertEqual(({v["secret"]["secretName"] for v in pod["volumes"]}, pod["priorityClassName"], pod["imagePullSecrets"]),
                         ({"0x10", "100"}, "1", [{"name": "2"}]))
        authority = only(rendered, "CertificateAuthority")
        self.assertEqual((authority["metadata"]["name"], authority["spec"]["secret"]["name"]), ("3", "4"))
        self.assertEqual({d["metadata"]["namespace"] for d in rendered if d["kind"] == "Role" and d["metadata"]["name"].endswith("-systems")}, {"123", "null"})

    def test_Mail_rates_follow_the_values_including_0(self):
        def flags(**smtp):
            pod = only(render({"smtp": {**MAIL["smtp"], **smtp}}), "Deployment")["spec"]["template"]["spec"]
            return [word for word in pod["containers"][0]["args"] if "rate" in word or "helo" in word]
        self.assertEqual(flags(), ["--smtp-rate=60", "--smtp-namespace-rate=600", "--smtp-address-rate=120"])
        self.assertEqual(flags(rate=0, namespaceRate=0, addressRate=100000, heloName="[192.0.2.1]"),
                         ["--smtp-helo-name=[192.0.2.1]", "--smtp-rate=0", "--smtp-namespace-rate=0", "--smtp-address-rate=100000"])

    def test_Values_of_an_earlier_release_render_and_lint(self):
        """As helm upgrade --reuse-values has them. Where a rate is missing, the operator's own default holds."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "certpair"
            shutil.copytree(CHART, copy)
            chart_versions.strip_later_values(copy)
            answer = helm("lint", "--strict", copy)
            self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
            rendered = render({**MAIL, **MONITORED, "watchNamespaces": ["idm"]}, chart=copy)
        args = only(rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual([word for word in args if "rate" in word or "in-flight" in word or "allow" in word], ["--smtp-rate=60"])
        self.assertNotIn("nil", json.dumps(rendered))

    def test_A_release_name_and_namespace_may_be_numbers(self):
        answer = helm("template", "7", CHART, "--namespace", "007", "--set", "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        for d in (d for d in yaml.safe_load_all(answer.stdout) if d):
            self.assertIn(d["metadata"].get("namespace", "007"), ("007", "default"), d["metadata"]["name"])
            self.assertIn(d["metadata"].get("labels", {}).get("app.kubernetes.io/instance", "7"), ("7",), d["metadata"]["name"])
            for subject in d.get("subjects", []):
                self.assertIn(subject.get("namespace", "007"), ("007",), d["metadata"]["name"])

    def test_Values_and_schema_have_the_same_names(self):
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        schema = json.loads((CHART / "values.schema.json").read_text())

        def compare(value, node, path):
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node
            if "properties" in node and path != "global":
                self.assertIs(node.get("additionalProperties"), False, path)
                self.assertEqual(set(value) ^ (set(node["properties"]) - {"global"}), set(), path)
                for name, child in value.items():
                    compare(child, node["properties"][name], f"{path}.{name}")
        compare(values, schema, "values")

    def test_Each_flag_of_the_Deployment_exists(self):
        flags = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "controller/options.cpp").read_text()))
        container = only(render({**MAIL, "watchNamespaces": ["idm"], "clusterName": "Prod 1", "controller": {"secretMetadataAllow": ["a/*", "b"]}}),
                         "Deployment")["spec"]["template"]["spec"]["containers"][0]
        for argument in container["args"]:
            self.assertIn(argument.split("=")[0], flags)


class HardeningTest(unittest.TestCase):
    """What scanners of charts look for. release_test.py has the API server judge Pod Security `restricted`."""

    def setUp(self):
        self.pod = only(render(MAIL), "Deployment")["spec"]["template"]["spec"]
        self.container = self.pod["containers"][0]

    def test_The_pod_has_no_more_rights_than_it_needs(self):
        self.assertEqual({k: v for k, v in self.pod["securityContext"].items() if k != "fsGroup"},
                         {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}})
        self.assertEqual(self.container["securityContext"],
                         {"allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
                          "capabilities": {"drop": ["ALL"]}})
        for word in ("hostNetwork", "hostPID", "hostIPC", "hostUsers"):
            self.assertNotIn(word, self.pod)

    def test_The_pod_mounts_two_Secrets_read_only_and_nothing_else(self):
        self.assertTrue(all(mount["readOnly"] for mount in self.container["volumeMounts"]))
        self.assertTrue(all(volume["secret"]["optional"] for volume in self.pod["volumes"]))
        self.assertNotIn("volumes", only(render(), "Deployment")["spec"]["template"]["spec"])

    def test_Arguments_and_environment_hold_no_secret(self):
        self.assertEqual([e["name"] for e in self.container["env"]], ["POD_NAME", "POD_NAMESPACE"])
        self.assertNotIn("password", json.dumps(self.container).lower())

    def test_The_pod_has_requests_limits_and_both_probes(self):
        for what in ("requests", "limits"):
            self.assertEqual(set(self.container["resources"][what]), {"cpu", "memory", "ephemeral-storage"})
        self.assertEqual(self.container["livenessProbe"]["httpGet"]["path"], "/healthz")
        self.assertEqual(self.container["readinessProbe"]["httpGet"]["path"], "/readyz")

    def test_The_image_has_a_version_or_a_digest(self):
        version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
        self.assertTrue(self.container["image"].endswith(":" + version))
        digest = "sha256:" + "0" * 64
        image = only(render({"image": {"digest": digest}}), "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
        self.assertTrue(image.endswith("@" + digest))

    def test_Each_finding_of_a_scanner_has_a_reason_beside_it(self):
        """As checkov 3 reports: the Deployment's image and token, the probes that a test's pod has not."""
        for kind, wanted in (("Deployment", {"CKV_K8S_43", "CKV_K8S_15", "CKV_K8S_38"}), ("Pod", {"CKV_K8S_43", "CKV_K8S_15", "CKV_K8S_8", "CKV_K8S_9"})):
            notes = [value for name, value in only(render(MAIL), kind)["metadata"]["annotations"].items() if name.startswith("checkov.io/skip")]
            reasons = dict(note.split("=", 1) for note in notes)
            self.assertEqual(set(reasons), wanted)
            self.assertTrue(all(len(reason) > 20 for reason in reasons.values()), reasons)
        for d in render({"watchNamespaces": ["idm"]}):
            if d["metadata"].get("namespace") == "default":
                self.assertIn("CKV_K8S_21=", d["metadata"]["annotations"]["checkov.io/skip1"])

    def test_Replicas_are_spread_and_a_drain_takes_one_at_a_time(self):
        self.assertEqual(len(self.pod["topologySpreadConstraints"]), 2)
        self.assertEqual(only(render(), "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)
        self.assertFalse([d for d in render({"replicas": 1}) if d["kind"] == "PodDisruptionBudget"])

    def test_The_NetworkPolicy_permits_only_what_is_needed(self):
        def rules(values):
            policy = only(render(values), "NetworkPolicy", "certpair-controller")["spec"]
            self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
            return policy["ingress"], policy["egress"]
        dns = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
        ingress, egress = rules({})
        self.assertEqual(ingress, [{"ports": [{"port": "metrics"}]}, {"ports": [{"port": "health"}]}])
        self.assertEqual(egress, [{"ports": [{"port": 443}, {"port": 6443}]}, dns])
        here, there = {"podSelector": {"matchLabels": {"a": "b"}}}, {"ipBlock": {"cidr": "10.0.0.1/32"}}
        ingress, egress = rules({**MAIL, "networkPolicy": {"metricsFrom": [here], "apiServer": [there], "apiServerPorts": [7443],
                                                           "extraEgress": [{"ports": [{"port": 8443}]}]}})
        self.assertEqual(ingress, [{"ports": [{"port": "metrics"}], "from": [here]}, {"ports": [{"port": "health"}]}])
        self.assertEqual(egress, [{"ports": [{"port": 7443}], "to": [there]}, dns, {"ports": [{"port": 587}]}, {"ports": [{"port": 8443}]}])

    def test_Service_probes_and_monitors_name_ports_of_the_pod(self):
        rendered = render({**MAIL, **MONITORED})
        deployment, service = only(rendered, "Deployment")["spec"], only(rendered, "Service")
        ports = {port["name"]: port["containerPort"] for port in deployment["template"]["spec"]["containers"][0]["ports"]}
        self.assertEqual({port["name"]: ports[port["targetPort"]] for port in service["spec"]["ports"]}, ports)
        self.assertTrue(service["spec"]["publishNotReadyAddresses"])  # or helm test would not see a replica that is not ready
        self.assertTrue(service["spec"]["selector"].items() <= deployment["template"]["metadata"]["labels"].items())
        monitor = only(rendered, "ServiceMonitor")["spec"]
        self.assertTrue(monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items())
        for endpoint in monitor["endpoints"]:
            self.assertIn(endpoint["port"], [port["name"] for port in service["spec"]["ports"]])
        for words in deployment["template"]["spec"]["containers"][0]["args"]:
            for name, flag in (("metrics", "--metrics-bind-address"), ("health", "--health-probe-bind-address")):
                if words.startswith(flag):
                    self.assertEqual(words, f"{flag}=:{ports[name]}")

    def test_Namespaced_objects_are_in_the_namespace_of_the_release(self):
        everywhere = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy",
                      "ValidatingAdmissionPolicyBinding", "CertificateAuthority"}
        for d in render({**MAIL, **MONITORED, "authority": {"create": True}}):
            if d["kind"] not in everywhere:
                self.assertEqual(d["metadata"].get("namespace"), NAMESPACE, d["metadata"]["name"])


class TruthTest(unittest.TestCase):
    def test_The_version_of_the_chart_is_that_of_the_program(self):
        version = re.search(r"project\(certpair VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertEqual((chart["version"], chart["appVersion"]), (version, version))

    def test_The_CRDs_are_those_of_crds_and_stay_on_uninstall(self):
        rendered = {d["metadata"]["name"]: d for d in render() if d["kind"] == "CustomResourceDefinition"}
        sources = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
        self.assertEqual(len(rendered), len(sources))
        for source in sources:
            crd = rendered[source["metadata"]["name"]]
            self.assertEqual(crd["metadata"].pop("annotations"), {"helm.sh/resource-policy": "keep"})
            self.assertEqual(crd, source)

    def test_Alerts_and_dashboard_use_metrics_that_exist(self):
        sources = "".join(path.read_text() for path in (ROOT / "src/metrics").glob("*.cpp"))
        exist = set(re.findall(r"certpair_[a-z_]+", sources))
        rules = only(render(MONITORED), "PrometheusRule")
        board = json.loads(only(render(MONITORED), "ConfigMap")["data"]["certpair.json"])
        asked = [rule["expr"] for group in rules["spec"]["groups"] for rule in group["rules"]]
        asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        for expression in asked:
            for name in re.findall(r"certpair_[a-z_]+", expression):
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), exist, expression)

    def test_Notes_say_what_to_do_next(self):
        answer = helm("install", "certpair", CHART, "--namespace", NAMESPACE, "--dry-run=client", "--set", "policies.enabled=false")
        for wanted in ("Next: create a CertificateAuthority", "kubectl get psys -A", "Users who may write Secrets can change", "No mail is sent"):
            self.assertIn(wanted, answer.stdout)


class TemplatesTest(unittest.TestCase):
    """A broken chart makes the tests above fail."""

    def test_A_wrong_template_does_not_render(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "certpair"
            shutil.copytree(CHART, copy)
            with (copy / "templates/service.yaml").open("a") as file:
                file.write("  nonsense: {{ .Values.no.such }}\n")
            with self.assertRaises(AssertionError):
                render(chart=copy)


if __name__ == "__main__":
    unittest.main()
