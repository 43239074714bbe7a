"""The Kubernetes objects: valid, and the same fleet as that of compose.yaml."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from fleet_platform.rpc.health_servicer import LIVENESS
from fleet_platform.telemetry.catalogue import metrics
from tests.support.kustomization import render
from tests.support.service_settings import SETTINGS

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
VERSION = "1.37"
SERVICES = SETTINGS.keys() - {"gateway"}
COMPONENTS = ("autoscaling", "configs", "gpu", "public")
RUNS = {"Deployment", "StatefulSet"}


@pytest.fixture(scope="module")
def base():
    return _by_kind(render(KUBERNETES / "base"))


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.fixture
def everything(tmp_path):
    """A kustomization of one's own, with all components."""
    above = Path(os.path.relpath(KUBERNETES, tmp_path.resolve()))
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(above / "base")],
        "components": [str(above / "components" / name) for name in COMPONENTS],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return tmp_path


def _by_kind(objects):
    found = {}
    for each in objects:
        found.setdefault(each["kind"], {})[each["metadata"]["name"]] = each
    return found


def _workloads(objects):
    return {name: each for kind in RUNS for name, each in objects.get(kind, {}).items()}


def _pod(workload):
    return workload["spec"]["template"]["spec"]


def _container(workload):
    (container,) = _pod(workload)["containers"]
    return container


def _environment(objects, name):
    """What a container is given, secrets as a stand-in."""
    container = _container(_workloads(objects)[name])
    given = {}
    for each in container.get("envFrom", ()):
        given |= objects["ConfigMap"][each["configMapRef"]["name"]]["data"]
    stand_ins = {"secretKeyRef": "redis://:secret@redis:6379/0", "resourceFieldRef": "2"}
    for each in container.get("env", ()):
        (source,) = each.get("valueFrom", {"value": None})
        given[each["name"]] = each.get("value") or stand_ins[source]
    return given


def _of_image(name):
    folder = "envoy" if name == "gateway" else "services"
    return (ROOT / folder / "Dockerfile").read_text(encoding="utf-8")


def test_every_object_is_valid(everything):
    for folder in (KUBERNETES / "base", KUBERNETES / "overlays/gpu", everything):
        objects = render(folder)
        for each in objects:
            kubernetes_validate.validate(each, VERSION, strict=True)
        names = [(each["kind"], each["metadata"]["name"]) for each in objects]
        assert len(names) == len(set(names))
        assert not any("namespace" in each["metadata"] for each in objects), (
            "where is up to whom applies"
        )


def test_kustomize_renders_what_was_looked_at_here(everything):
    program = next(filter(None, map(shutil.which, ("kustomize", "kubectl"))), None)
    if program is None:
        pytest.skip("neither kustomize nor kubectl is installed")
    verb = "build" if program.endswith("kustomize") else "kustomize"
    for folder in (KUBERNETES / "base", KUBERNETES / "overlays/gpu", everything):
        command = [program, verb, str(folder)]
        shown = subprocess.run(command, check=True, capture_output=True, timeout=600).stdout
        assert _by_kind(yaml.safe_load_all(shown)) == _by_kind(render(folder))


def test_the_documented_kustomization_names_what_there_is(base):
    text = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
    kustomization = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    for path in (*kustomization["resources"], *kustomization["components"]):
        assert (ROOT / path.removeprefix("cuvis-fleet/") / "kustomization.yaml").exists()
    images = {_container(each)["image"].partition(":")[0] for each in _workloads(base).values()}
    assert {each["name"] for each in kustomization["images"]} <= images
    assert {each["target"]["kind"] for each in kustomization["patches"]} <= base.keys()
    given = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(given) == [each.name for each in sorted((KUBERNETES / "components").iterdir())]


def test_each_part_of_compose_runs_from_the_same_image(base, compose):
    workloads = _workloads(base)
    assert workloads.keys() == compose.keys()
    for name, each in workloads.items():
        image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", compose[name]["image"])
        assert _container(each)["image"] == image
    given = _container(workloads["redis"])["args"]
    assert given == [*compose["redis"]["command"], "--requirepass", "$(REDISCLI_AUTH)"]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_environment_of_a_part_has_only_its_settings(base, name, monkeypatch):
    for key in os.environ.keys() & {field.upper() for field in SETTINGS[name].model_fields}:
        monkeypatch.delenv(key)
    given = _environment(base, name)
    every = {field.upper() for settings in SETTINGS.values() for field in settings.model_fields}
    own = {field.upper() for field in SETTINGS[name].model_fields}
    assert given.keys() <= every
    assert {each["name"] for each in _container(_workloads(base)[name])["env"]} <= own
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    taken = SETTINGS[name]().model_dump(mode="json")
    for key in given.keys() & own:
        value = taken[key.lower()]
        shown = json.dumps(value) if isinstance(value, list) else str(value)
        assert shown.lower() in {given[key], f"{given[key]}.0"}


def test_what_a_public_gateway_needs_are_settings_and_files_that_come(everything):
    objects = _by_kind(render(everything))
    asked = _environment(objects, "gateway")
    assert asked.keys() <= {field.upper() for field in SETTINGS["gateway"].model_fields} | {
        "DRAIN_S",
        "LOG_FORMAT",
    }
    assert asked["GRPC_USE_TLS"] == "true"
    (mount,) = (
        each
        for each in _container(_workloads(objects)["gateway"])["volumeMounts"]
        if each["name"] == "security"
    )
    for key in ("GRPC_TLS_CERT_PATH", "GRPC_TLS_KEY_PATH", "API_KEYS_PATH"):
        assert Path(asked[key]).parent == Path(mount["mountPath"])
    ports = objects["Service"]["gateway"]["spec"]["ports"]
    assert [each["port"] for each in ports] == [50051], "health in clear is not opened"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_part_gets_longer_to_stop_than_it_takes(base, compose, name):
    given = _environment(base, name)
    workload = _workloads(base)[name]
    pause = _container(workload).get("lifecycle", {}).get("preStop", {"sleep": {"seconds": 0}})
    takes_s = pause["sleep"]["seconds"] + float(given["STOP_GRACE_S"])
    if name != "gateway":
        takes_s += float(given["DRAIN_S"])
        assert float(given["DRAIN_S"]) >= 2, "the gateway asks for health once a second"
    assert _pod(workload)["terminationGracePeriodSeconds"] > takes_s + 5
    for key in given.keys() & {"DRAIN_S", "STOP_GRACE_S"} & compose[name]["environment"].keys():
        assert compose[name]["environment"][key] == f"${{{key}:-{given[key]}}}"


def test_services_are_found_replica_by_replica(base):
    for name in SERVICES:
        spec = base["Service"][name]["spec"]
        assert spec["clusterIP"] == "None"
        assert spec["publishNotReadyAddresses"], "the gateway asks each for its health by itself"
        endpoints = json.loads(_environment(base, "gateway")[f"{name.upper()}_ENDPOINTS"])
        assert endpoints == [f"{name}:{spec['ports'][0]['port']}"]
    host, _, port = _environment(base, "session")["GATEWAY_ADDRESS"].partition(":")
    assert int(port) in {each["port"] for each in base["Service"][host]["spec"]["ports"]}


def test_selectors_and_ports_lead_to_containers(base):
    pods = {name: each["spec"]["template"] for name, each in _workloads(base).items()}
    for name, each in _workloads(base).items():
        assert each["spec"]["selector"]["matchLabels"] == pods[name]["metadata"]["labels"]
    for service in base["Service"].values():
        (pod,) = (
            pod for pod in pods.values() if pod["metadata"]["labels"] == service["spec"]["selector"]
        )
        named = {
            port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]
        }
        for port in service["spec"]["ports"]:
            assert named[port["targetPort"]] == port["port"]
    assert base["PodDisruptionBudget"].keys() == SETTINGS.keys()
    for name, budget in base["PodDisruptionBudget"].items():
        assert budget["spec"]["selector"]["matchLabels"] == pods[name]["metadata"]["labels"]


@pytest.mark.parametrize("name", SETTINGS)
def test_ports_are_those_of_the_image_and_the_settings(base, name):
    ports = {
        each["name"]: each["containerPort"] for each in _container(_workloads(base)[name])["ports"]
    }
    fixed = dict(re.findall(r"\b([A-Z_]+_PORT)=(\d+)", _of_image(name)))
    assert ports["metrics"] == int(_environment(base, name)["METRICS_PORT"])
    if name == "gateway":
        assert (ports["grpc"], ports["health"]) == (
            int(fixed["GRPC_PORT"]),
            int(fixed["HEALTH_PORT"]),
        )
    else:
        assert ports["grpc"] == int(fixed["SERVICE_PORT"])


def test_a_restart_of_redis_restarts_no_service(base):
    for name in SERVICES:
        container = _container(_workloads(base)[name])
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["grpc"] == {"port": 50051, "service": LIVENESS}
        assert container["readinessProbe"]["grpc"] == {"port": 50051}


def test_the_gateway_is_asked_as_its_image_is(base):
    (shell,) = re.findall(r"CMD python -c (\".*\")$", _of_image("gateway"), re.MULTILINE)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        command = _container(_workloads(base)["gateway"])[probe]["exec"]["command"]
        assert command == ["python", "-c", json.loads(shell)]


def test_no_container_has_rights(base):
    for each in _workloads(base).values():
        pod, container = _pod(each), _container(each)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    for name in SETTINGS:
        (user,) = re.findall(r"--uid (\d+)", _of_image(name))
        assert _pod(_workloads(base)[name])["securityContext"]["runAsUser"] == int(user)


def test_folders_are_where_the_images_have_them_and_shared(base):
    for name in SERVICES:
        pod, container = _pod(_workloads(base)[name]), _container(_workloads(base)[name])
        claims = {
            each["name"]: each["persistentVolumeClaim"]["claimName"]
            for each in pod["volumes"]
            if "persistentVolumeClaim" in each
        }
        mounted = {
            each["mountPath"]: claims.get(each["name"]) for each in container["volumeMounts"]
        }
        folders = dict(re.findall(r"\b([A-Z]+_DIR)=(/\S+)", _of_image(name)))
        for key in ("DATA_DIR", "OUTPUT_DIR", "ARTIFACT_DIR"):
            claim = base["PersistentVolumeClaim"][mounted[folders[key]]]
            assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
        assert "/tmp" in mounted


def test_gpus_go_to_what_computes(compose):
    gpu = _by_kind(render(KUBERNETES / "overlays/gpu"))
    images = yaml.safe_load((ROOT / "compose.gpu.yaml").read_text(encoding="utf-8"))["services"]
    for name, each in _workloads(gpu).items():
        container = _container(each)
        assert ("nvidia.com/gpu" in container["resources"]["limits"]) == (name in images)
        if name in images:
            expected = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", images[name]["image"])
            assert container["image"] == expected


def test_replicas_follow_queues_that_are_measured(everything):
    objects = _by_kind(render(everything))
    rules = yaml.safe_load((KUBERNETES / "prometheus/adapter.yaml").read_text(encoding="utf-8"))[
        "rules"
    ]
    emitted = {metric.name for metric in metrics.METRICS}
    given = {"Pods": set(), "External": set()}
    for kind, source in (("Pods", "custom"), ("External", "external")):
        for rule in rules[source]:
            name = rule["seriesQuery"].partition("{")[0]
            assert name in emitted
            given[kind].add(rule.get("name", {"as": name})["as"])
    assert objects["HorizontalPodAutoscaler"].keys() == {"trainer", "inference"}
    for scaler in objects["HorizontalPodAutoscaler"].values():
        target = scaler["spec"]["scaleTargetRef"]
        assert "replicas" not in objects[target["kind"]][target["name"]]["spec"]
        asked = [each for each in scaler["spec"]["metrics"] if each["type"] in given]
        assert asked
        for each in asked:
            assert each[each["type"].lower()]["metric"]["name"] in given[each["type"]]
