"""The manifests: valid by the schemas of Kubernetes, one writer, no rights to spare, and a policy that works."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest
import yaml

from botopt.loading.files import find_files
from tests.cli.running import botopt
from tests.container.reading import PROJECT, ROOT, UID, dockerfile, mounted, only, seconds

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
BESIDE = ("backup/claim.yaml", "backup/cronjob.yaml", "maintenance/pod.yaml")
"""What is applied by itself, and only where somebody wants it."""


def load(name: str):
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


STATEFUL_SET = load("statefulset.yaml")
POD = STATEFUL_SET["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


@pytest.mark.parametrize("version", ["1.29.0", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("name", [*FILES, *BESIDE])
def test_kubernetes_takes_it_without_an_unknown_word(name, version):
    kubernetes_validate.validate(load(name), version, strict=True)


def test_the_judge_is_awake():
    wrong = {**STATEFUL_SET, "spec": {**STATEFUL_SET["spec"], "replcas": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_kustomize_is_told_of_every_file_and_all_lie_in_one_namespace():
    kustomization = load("kustomization.yaml")
    assert sorted(kustomization["resources"]) == FILES
    assert kustomization["namespace"] == load("namespace.yaml")["metadata"]["name"]
    for name in FILES:
        if name != "namespace.yaml":
            assert load(name)["metadata"]["namespace"] == kustomization["namespace"]


def test_one_process_writes_the_state_and_deleting_a_workload_loses_nothing():
    spec = STATEFUL_SET["spec"]
    assert spec["replicas"] == 1
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert not list(FOLDER.glob("*autoscaler*"))


BACKUP = load("backup/cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]
MAINTENANCE = load("maintenance/pod.yaml")


@pytest.mark.parametrize("spec", [POD, BACKUP["spec"], MAINTENANCE["spec"]], ids=["service", "backup", "maintenance"])
def test_every_pod_has_the_rights_that_the_restricted_profile_allows_and_no_more(spec):
    assert load("namespace.yaml")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    [only_one] = spec["containers"]
    pod, container = spec["securityContext"], only_one["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert (pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]) == (UID, UID, UID)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["readOnlyRootFilesystem"] is True
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
    assert {mount["name"] for mount in only_one["volumeMounts"]} == {
        *(volume["name"] for volume in spec["volumes"]),
        *(["state"] if spec is POD else []),
    }


@pytest.mark.parametrize("name", ["kustomization.yaml", "backup/kustomization.yaml"])
def test_every_image_has_the_version_of_the_project(name):
    assert load(name)["images"] == [{"name": "botopt", "newTag": PROJECT["version"]}]
    for spec in (POD, BACKUP["spec"], MAINTENANCE["spec"]):
        assert [container["image"] for container in spec["containers"]] == [f"botopt:{PROJECT['version']}"]


def test_what_runs_beside_the_service_uses_its_volume_and_gets_none_of_its_events():
    [template] = STATEFUL_SET["spec"]["volumeClaimTemplates"]
    claim = f"{template['metadata']['name']}-{STATEFUL_SET['metadata']['name']}-0"
    for spec in (BACKUP["spec"], MAINTENANCE["spec"]):
        claims = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"][:-1]}
        assert claims["state"] == claim
    assert (
        BACKUP["spec"]["volumes"][1]["persistentVolumeClaim"]["claimName"]
        == load("backup/claim.yaml")["metadata"]["name"]
    )
    selector = load("service.yaml")["spec"]["selector"]
    for labels in (BACKUP["metadata"]["labels"], MAINTENANCE["metadata"]["labels"]):
        assert not selector.items() <= labels.items()
    [rule] = BACKUP["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["labelSelector"]["matchLabels"] == STATEFUL_SET["spec"]["selector"]["matchLabels"]


def test_it_may_drain_before_it_is_killed():
    [drain] = [arg.partition("=")[2] for arg in CONTAINER["args"] if arg.startswith("--drain=")]
    assert POD["terminationGracePeriodSeconds"] > seconds(drain) + 10


def test_it_is_started_as_the_image_starts_it():
    words = only(dockerfile().image, "CMD").words
    image = [f"{option}={value}" for option, value in zip(words[1::2], words[2::2], strict=True)]
    wanted = ["serve", *(option.replace("-w=", "--workspace=") for option in image)]
    assert [arg for arg in CONTAINER["args"] if not arg.startswith("--drain=")] == wanted


def test_a_process_that_is_not_ready_is_left_alone_and_one_that_hangs_is_not():
    paths = {kind: CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": {"path": "/healthz", "port": "http"},
        "liveness": {"path": "/healthz", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }


def test_calls_reach_the_pod_and_the_rules_of_the_network_are_about_it():
    labels = STATEFUL_SET["spec"]["template"]["metadata"]["labels"]
    service, network = load("service.yaml")["spec"], load("networkpolicy.yaml")["spec"]
    assert service["selector"].items() <= labels.items()
    assert network["podSelector"]["matchLabels"].items() <= labels.items()
    assert STATEFUL_SET["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert STATEFUL_SET["spec"]["serviceName"] == load("service.yaml")["metadata"]["name"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"http": 8080}
    assert [port["targetPort"] for port in service["ports"]] == ["http"]
    assert [port["port"] for rule in network["ingress"] for port in rule["ports"]] == ["http"]


def test_nothing_may_be_called_where_machines_keep_their_credentials():
    blocks = [
        to["ipBlock"] for rule in load("networkpolicy.yaml")["spec"]["egress"] for to in rule["to"] if "ipBlock" in to
    ]
    [everywhere] = [block for block in blocks if block["cidr"] == "0.0.0.0/0"]
    assert "169.254.0.0/16" in everywhere["except"]


def test_secrets_come_by_reference_and_none_lies_here():
    [source] = CONTAINER["envFrom"]
    assert source["secretRef"] == {"name": "botopt", "optional": True}
    assert "env" not in CONTAINER
    assert [name for name in FILES if load(name)["kind"] == "Secret"] == []


# ---------------------------------------------------------------- the policy in the ConfigMap


@pytest.fixture
def data() -> dict[str, str]:
    [volume] = [volume["configMap"] for volume in POD["volumes"] if "configMap" in volume]
    config = load("policy.yaml")
    assert config["metadata"]["name"] == volume["name"]
    assert {item["key"] for item in volume["items"]} == set(config["data"])
    return {item["path"]: config["data"][item["key"]] for item in volume["items"]}


def test_the_policy_has_no_finding_and_each_file_is_read_once(data, tmp_path):
    folder = mounted(tmp_path / "policy", "2026_01", data)
    done = botopt("validate", "-w", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("no findings\nok 2 files:"), done.stdout
    assert [shown for _, shown in find_files(folder, "rules").files] == ["rules/rules.yaml"]


def test_the_policy_decides(data, tmp_path):
    event = {"id": "e1", "type": "payment_failed", "user": "ada", "time": "2026-03-01T09:00:00Z"}
    (tmp_path / "events.jsonl").write_text(json.dumps({**event, "data": {"amount": 42, "order_id": "A-1"}}) + "\n")
    folder = mounted(tmp_path / "policy", "2026_01", data)
    done = botopt("replay", "-w", folder, tmp_path / "events.jsonl")
    assert done.returncode == 0, done.stderr
    assert "Your payment of 42 for order A-1 failed." in done.stdout


def test_a_changed_map_is_another_policy(data, tmp_path):
    folder = mounted(tmp_path / "policy", "2026_01", data)
    before = botopt("validate", "-w", folder).stdout
    mounted(folder, "2026_02", {name: text.replace("0.70", "0.75") for name, text in data.items()})
    after = botopt("validate", "-w", folder).stdout
    assert before.rpartition("revision ")[2] != after.rpartition("revision ")[2]
