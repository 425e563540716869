"""What happens to releases: installed, moved to other versions and settings, taken away and installed again."""
import base64
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import yaml

import chart_versions
from chart import AUTHORITIES, CHART, NAMESPACE, OPERATOR, ROOT, SECRETS, SYSTEMS, eventually, run
from installation import ON_NODE, PODS, InstalledTest, Load, small_system, takes_long, warned_system


class ReleaseTest(InstalledTest):
    def test_The_examples_become_ready_in_a_restricted_namespace(self):
        self.assertEqual(run(["kubectl", "apply", "-f", ROOT / "examples"]).returncode, 0)
        answer = run(["kubectl", "-n", "idm", "wait", "--for=condition=Ready", "provisioningsystems", "--all", "--timeout=60s"])
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertTrue(self.two_are_ready())
        eventually(lambda: self.served_by() == sorted(pod["status"]["podIP"] for pod in self.pods().values()), "the Service does not lead to the pods")
        works = [self.metric(pod, "certpair_leader") for pod in self.pods().values()]
        self.assertEqual(sorted(works), ["0", "1"])
        self.leave("idm")

    def served_by(self):
        """The addresses behind the Service."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?labelSelector=kubernetes.io/service-name%3Dcertpair-controller"
        return sorted(address for item in self.api("GET", path)[1]["items"] for endpoint in item["endpoints"] or [] for address in endpoint["addresses"])

    @takes_long
    def test_Two_versions_forth_and_back_under_load_issue_once_and_lose_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            charts = {chart_versions.OLDER: chart_versions.older(folder), chart_versions.present(): CHART, chart_versions.NEWER: chart_versions.newer(folder)}
            for version in (chart_versions.OLDER, chart_versions.NEWER):
                self.provide_image(version, folder)
            at_first = self.revision()
            revisions = {chart_versions.OLDER: self.move("upgrade", charts[chart_versions.OLDER])}
            certificates = self.namespace("versions")
            self.await_version(chart_versions.OLDER, "versions")
            load = Load("versions")
            self.addCleanup(load.end)
            eventually(lambda: self.ready("versions") >= 5, "nothing gets ready", 60)
            since = {}
            for version in (chart_versions.present(), chart_versions.NEWER):
                revisions[version] = self.move("upgrade", charts[version])
                self.await_version(version, "versions")
                self.nothing_is_lost("versions", since)
            marked = sorted(since)[:20]
            self.mark("versions", marked)
            for version, back in ((chart_versions.present(), True), (chart_versions.OLDER, True), (chart_versions.NEWER, False), (chart_versions.OLDER, True),
                                  (chart_versions.present(), False)):
                begin = time.monotonic()
                self.move(*(("rollback", revisions[version]) if back else ("upgrade", charts[version])))
                self.await_version(version, "versions")
                self.has_written("versions", marked, version)
                self.nothing_is_lost("versions", since)
                self.tell(f"{'back' if back else 'on'} to {version} after {time.monotonic() - begin:.0f} s, {load.count} systems made meanwhile")
            load.end()
            self.assertEqual(load.refused, [])
            self.await_ready("versions", load.count)
            self.nothing_is_lost("versions", since)
            self.each_once(certificates, load.count)
            self.move("rollback", at_first)
            self.leave("versions")

    def provide_image(self, version, folder):
        """Where there is no node to bring one to, the present image goes by the other versions' charts."""
        if ON_NODE:
            archive = pathlib.Path(folder) / f"{version}.tar"
            for command in ([ROOT / "scripts/image", "--program", os.environ["CERTPAIR_PROGRAM"], "--version", version, "--output", archive],
                            ["ctr", "images", "import", archive]):
                answer = run(command)
                self.assertEqual(answer.returncode, 0, answer.stderr)

    def move(self, verb, where):
        """The revision that came of it."""
        self.helm(verb, "certpair", where, "--wait", "--timeout", "180s")
        return self.revision()

    def await_version(self, version, namespace):
        """Its kinds, its policies, its image; and a replica of it leads."""
        eventually(lambda: chart_versions.serves(self.api, namespace, version), f"the kinds of {version} are not served")
        path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/" + chart_versions.POLICY
        self.assertEqual(self.api("GET", path)[0], 404 if version == chart_versions.OLDER else 200)
        eventually(self.two_are_ready, "two replicas do not get ready", 90)
        _, leader = self.leader()
        image = self.pods()[leader]["spec"]["containers"][0]["image"]
        self.assertTrue(image.endswith(":" + version) or not ON_NODE, image)

    def nothing_is_lost(self, namespace, since):
        """Who was ready is so since the same moment, and who is ready now is remembered in `since`."""
        _, systems, _ = self.api("GET", SYSTEMS.format(namespace))
        now = {item["metadata"]["name"]: c["lastTransitionTime"] for item in systems["items"]
               for c in item.get("status", {}).get("conditions", []) if c["type"] == "Ready" and c["status"] == "True"}
        self.assertEqual({name: now.get(name) for name in since}, since, "a system lost its Ready")
        since.update(now)

    def mark(self, namespace, names):
        """Writes what a newer operator would."""
        for name in names:
            status, answer, _ = self.api.patch(f"{SYSTEMS.format(namespace)}/{name}/status", {"status": chart_versions.FUTURE}, user=OPERATOR,
                                               groups=["system:masters"])
            self.assertEqual(status, 200, answer)

    def has_written(self, namespace, names, version):
        """The operator answers a change of each spec, and what the newer one wrote is still there."""
        for name in names:
            self.api.patch(f"{SYSTEMS.format(namespace)}/{name}", {"spec": {"displayName": f"as {version} saw it, {time.monotonic()}"}})
        for name in names:
            def answered():
                system = self.api("GET", f"{SYSTEMS.format(namespace)}/{name}")[1]
                return system if system["status"]["observedGeneration"] == system["metadata"]["generation"] else None
            eventually(answered, f"{version} does not answer {name}", 60)
            status = answered()["status"]
            self.assertEqual(status["fromTheFuture"], "kept")
            self.assertEqual(status["notifications"]["fromTheFuture"], "kept")
            self.assertIn("nextTransition", status)

    def test_An_authority_whose_Secret_is_missing_signs_nothing_until_it_is_there(self):
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "authority.create=true,authority.name=late,authority.secretName=late-ca",
                  "--set", "authority.allow[0].namespaces.all=true,authority.allow[0].commonNames={*}", "--wait", "--timeout", "120s")
        certificates = self.namespace("late")
        system = small_system("waits")
        system["spec"]["authorityRef"]["name"] = "late"
        self.api.create(SYSTEMS.format("late"), system)
        self.await_reason(AUTHORITIES + "/late", "SecretNotFound")
        self.await_reason(SYSTEMS.format("late") + "/waits", "AuthorityNotReady")
        _, generated, _ = self.api("GET", SECRETS.format(NAMESPACE) + "/certpair-ca-e2e")
        self.api.create(SECRETS.format(NAMESPACE), {"metadata": {"name": "late-ca"}, "type": "kubernetes.io/tls", "data": {
            key: generated["data"][key] for key in ("tls.crt", "tls.key")}})
        self.await_ready("late", 1)
        self.each_once(certificates, 1)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.api("DELETE", SYSTEMS.format("late") + "/waits")
        self.api("DELETE", AUTHORITIES + "/late")
        self.api("DELETE", SECRETS.format(NAMESPACE) + "/late-ca")
        self.leave("late")

    def test_Only_the_namespaces_that_are_named_are_served(self):
        """With the rights of this mode alone: a Role in each namespace."""
        for name in ("served", "unserved"):
            self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "watchNamespaces={served,yet-to-come}", "--wait", "--timeout", "120s")
        for name in ("unserved", "served"):
            self.create(name, 5)
        self.await_ready("served", 5)
        self.assertEqual(self.ready("unserved"), 0)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.await_ready("unserved", 5)
        for name in ("served", "unserved"):
            self.leave(name)

    def test_The_collector_takes_the_Secret_of_a_system_that_is_deleted_and_nobody_else_may(self):
        self.namespace("deleted")
        self.create("deleted", 2)
        self.await_ready("deleted", 2)
        secret = SECRETS.format("deleted") + "/s0-outbound"
        status, refusal, _ = self.api("DELETE", secret)
        self.assertEqual(status, 403, refusal)
        self.assertEqual(self.api("DELETE", SYSTEMS.format("deleted") + "/s0")[0], 200)
        eventually(lambda: self.api("GET", secret)[0] == 404, "its Secret is not collected", 60)
        self.assertEqual(self.api("GET", SECRETS.format("deleted") + "/s1-outbound")[0], 200)
        self.leave("deleted")

    def test_A_mail_Secret_that_is_missing_holds_up_mail_and_nothing_else(self):
        revision = self.revision()
        self.helm("upgrade", "certpair", CHART, "--set", "smtp.server=mail.example.com:587,smtp.from=certpair@example.com,clusterName=e2e",
                  "--set", "smtp.credentialsSecret.name=missing,smtp.caSecret.name=missing", "--wait", "--timeout", "120s")
        certificates = self.namespace("unmailed")
        self.create("unmailed", 3)
        self.api.create(SYSTEMS.format("unmailed"), warned_system("warned"))
        self.await_ready("unmailed", 4)
        self.assertIn("/etc/certpair/smtp-", self.await_reason(SYSTEMS.format("unmailed") + "/warned", "MailDelayed", "NotificationsDelivered"))
        self.each_once(certificates, 4)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.leave("unmailed")

    def test_Helms_test_finds_every_replica_ready(self):
        """Its pod, made by hand: this cluster has no DNS, so the Service's name has to stand in the pod's hosts."""
        pod = next(d for d in yaml.safe_load_all(self.helm("get", "hooks", "certpair").stdout) if d and d["kind"] == "Pod")
        eventually(self.two_are_ready, "two replicas do not get ready", 60)
        name = f"certpair-controller.{NAMESPACE}.svc"
        pod["spec"]["hostAliases"] = [{"ip": p["status"]["podIP"], "hostnames": [name]} for p in self.pods().values()]
        status, answer, _ = self.api("POST", PODS, pod)
        self.assertEqual(status, 201, answer)
        path = f"{PODS}/{pod['metadata']['name']}"
        eventually(lambda: self.api("GET", path)[1]["status"]["phase"] in ("Succeeded", "Failed"), "it does not end", 60)
        self.assertEqual(self.api("GET", path)[1]["status"]["phase"], "Succeeded", self.api("GET", path + "/log")[1])
        self.api("DELETE", path)

    @takes_long
    def test_An_image_that_is_not_there_takes_nothing_away(self):
        before = set(self.pods())
        revision = self.revision()
        answer = self.helm("upgrade", "certpair", CHART, "--set-string", "image.tag=missing,image.digest=", "--wait", "--timeout", "8s", fails=True)
        self.assertIn("certpair-controller", answer.stderr)
        self.assertTrue(before <= set(self.pods()), "an old replica is gone")
        certificates = self.namespace("image")
        self.create("image", 5)
        self.await_ready("image", 5)
        self.each_once(certificates, 5)
        self.helm("rollback", "certpair", revision, "--wait", "--timeout", "120s")
        self.leave("image")

    def test_What_outlives_an_uninstall_is_taken_up_again(self):
        certificates = self.namespace("stay")
        self.create("stay", 10)
        self.await_ready("stay", 10)
        self.helm("uninstall", "certpair", "--wait")
        eventually(lambda: not self.pods(), "pods stay", 60)
        self.assertEqual(self.ready("stay"), 10)
        _, secret, _ = self.api("GET", SECRETS.format("stay") + "/s0-outbound")
        self.assertTrue(self.openssl_accepts(secret))
        self.helm("install", "certpair", CHART, "--wait", "--timeout", "120s")
        self.create("stay", 1, first=10)
        self.await_ready("stay", 11)
        self.each_once(certificates, 11)
        self.leave("stay")

    def openssl_accepts(self, secret):
        folder = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"e2e-{os.getpid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            for key in ("tls.crt", "ca.crt"):
                (folder / key).write_bytes(base64.b64decode(secret["data"][key]))
            return subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", folder / "ca.crt", folder / "tls.crt"],
                                  capture_output=True, check=False).returncode == 0
        finally:
            for key in ("tls.crt", "ca.crt"):
                (folder / key).unlink(missing_ok=True)
            folder.rmdir()


if __name__ == "__main__":
    unittest.main()
