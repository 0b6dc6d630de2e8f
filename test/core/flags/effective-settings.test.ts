import { expect } from "chai";
import { DAEMON_FLAGS, effectiveSettings, loadDaemonFlags, startChecks } from "../../../core/flags/index.js";
import type { Target } from "../../../sdk/plugin/index.js";

describe("checks over several settings", () => {
  const check = (target: Target, args: readonly string[]) => {
    const specs = DAEMON_FLAGS[target];
    const { given, problems } = loadDaemonFlags(target, { args });
    expect(problems).to.deep.equal([]);
    return startChecks(target, effectiveSettings({ specs, flags: given, manifest: new Map() }).settings);
  };

  it("hold for the master", () => {
    expect(check("master", [])).to.deep.equal([]);
    expect(check("master", ["--work_dir=/x", "--ip=127.0.0.1", "--ip_discovery_command=true"])).to.deep.equal(
      ["only one of --ip and --ip_discovery_command may be given"],
    );
    expect(check("master", ["--work_dir=/x", "--roles=a,b", "--weights=a=2,c=3,*=1"])).to.deep.equal([
      "--weights: has a weight for 'c', which is not one of the --roles",
    ]);
  });

  it("hold for the agent", () => {
    expect(check("agent", ["--ip=127.0.0.1", "--ip_discovery_command=true"])).to.have.length(1);
  });
});

describe("settings of a manifest", () => {
  const origin = { kind: "manifest", where: "m.yaml:4" } as const;
  const settingsOf = (manifest: Record<string, unknown>, args: readonly string[] = []) => {
    const specs = DAEMON_FLAGS.master;
    const entries = Object.entries(manifest).map(([name, value]) => [name, { value, origin }] as const);
    return effectiveSettings({
      specs,
      flags: loadDaemonFlags("master", { args }).given,
      manifest: new Map(entries),
    });
  };

  it("may be text or natural, and give way to flags", () => {
    const { settings, problems } = settingsOf(
      {
        port: 5060,
        quiet: true,
        allocation_interval: "5secs",
        offer_timeout: 90_000,
        fair_sharing_excluded_resource_names: ["b", "a"],
        cluster: "m",
      },
      ["--cluster=flag"],
    );
    expect(problems).to.deep.equal([]);
    expect(settings.get("port")).to.deep.equal({ value: 5060, text: "5060", origin });
    expect(settings.get("quiet")).to.include({ value: true, text: "true" });
    expect(settings.get("allocation_interval")).to.include({ value: 5000, text: "5secs" });
    expect(settings.get("offer_timeout")).to.include({ value: 90_000, text: "90secs" });
    expect(settings.get("fair_sharing_excluded_resource_names")).to.deep.include({
      value: ["a", "b"],
      text: "{ a, b }",
    });
    expect(settings.get("cluster")).to.deep.equal({
      value: "flag",
      text: "flag",
      origin: { kind: "flag", where: "--cluster" },
    });
    expect(settings.get("hostname_lookup")?.origin.kind).to.equal("default");
    expect(settings.get("ip")).to.deep.include({ value: undefined, text: undefined });
  });

  it("are checked with their place", () => {
    const { problems } = settingsOf({
      prot: 1,
      port: "x",
      master_contender: "x",
      quiet: { a: 1 },
      offer_timeout: -5,
    });
    expect(problems).to.have.members([
      "m.yaml:4: settings.prot: unknown; did you mean 'port'?",
      'm.yaml:4: settings.quiet: must be true or false, found {"a":1}',
      "m.yaml:4: settings.offer_timeout: must not be negative, found -5",
      "m.yaml:4: settings.port: must be an integer, 0 to 65535, found 'x'",
      "m.yaml:4: settings.master_contender: is refused: Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead (leave it out)",
    ]);
  });
});
