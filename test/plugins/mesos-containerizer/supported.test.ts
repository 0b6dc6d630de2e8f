import { expect } from "chai";
import { missingFeatures } from "../../../plugins/mesos-containerizer/supported.js";
import {
  ContainerInfo_Type,
  type LinuxInfo,
  LinuxInfo_IpcMode,
  Volume_Source_Type as SourceType,
  type Volume,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { requestFor } from "../../support/container-request.js";

const missing = (
  isolators: readonly string[],
  { volumes = [], linux }: { volumes?: readonly Partial<Volume>[]; linux?: LinuxInfo },
): string[] => {
  const request = requestFor("c", {
    container: {
      type: ContainerInfo_Type.MESOS,
      volumes: volumes.map((volume) => ({ container_path: "/v", mode: Volume_Mode.RW, ...volume })),
      ...(linux && { linux_info: linux }),
      network_infos: [],
    },
  });
  return missingFeatures(request, { isolators, images: true });
};

describe("what a container may ask for", () => {
  it("is each kind of volume, from the isolator that brings it", () => {
    const kinds: readonly (readonly [string, Partial<Volume>])[] = [
      ["volume/host_path", { host_path: "/h" }],
      ["volume/sandbox_path", { host_path: "h" }],
      ["volume/image", { image: { type: 2, docker: { name: "i" } } }],
      ["volume/secret", { source: { type: SourceType.SECRET, secret: {} } }],
      ["docker/volume", { source: { type: SourceType.DOCKER_VOLUME, docker_volume: { name: "n" } } }],
    ];
    for (const [isolator, volume] of kinds) {
      expect(missing([isolator], { volumes: [volume, volume] })).to.deep.equal([]);
      const others = kinds.map(([name]) => name).filter((name) => name !== isolator);
      expect(missing(others, { volumes: [volume, volume] }).join()).to.match(
        new RegExp(`^volumes of .*${isolator}`),
      );
    }
    expect(missing(["filesystem/shared"], { volumes: [{ host_path: "h" }] })).to.deep.equal([]);
  });

  it("is no volume that nobody brings, nor one of no sound form", () => {
    const all = ["volume/host_path", "volume/sandbox_path", "filesystem/linux"];
    expect(missing(all, { volumes: [{ source: { type: SourceType.CSI_VOLUME } }] })).to.deep.equal([
      "volumes of CSI plugins",
    ]);
    expect(() => missing(all, { volumes: [{ source: { type: -1 } }] })).to.throw(/'source.type' is unknown/);
  });

  it("is each Linux setting, from the isolator that brings it", () => {
    const settings: readonly (readonly [string, LinuxInfo])[] = [
      ["linux/capabilities", { effective_capabilities: { capabilities: [] } }],
      ["linux/seccomp", { seccomp: { profile_name: "p" } }],
      ["namespaces/ipc", { ipc_mode: LinuxInfo_IpcMode.PRIVATE }],
      ["namespaces/ipc", { shm_size: 5 }],
    ];
    for (const [isolator, linux] of settings) {
      expect(missing([isolator], { linux })).to.deep.equal([]);
      expect(missing(["cgroups/cpu"], { linux }).join()).to.match(new RegExp(isolator));
    }
  });

  it("is what needs nobody: to share with the agent, to be unconfined", () => {
    const linux = {
      share_pid_namespace: true,
      ipc_mode: LinuxInfo_IpcMode.SHARE_PARENT,
      seccomp: { unconfined: true },
    };
    expect(missing([], { linux })).to.deep.equal([]);
  });
});
