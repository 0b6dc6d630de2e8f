import { readFileSync } from "node:fs";
import { expect } from "chai";
import { DAEMON_FLAGS, effectiveSettings, TypedSettings, usage } from "../../../core/flags/index.js";
import type { Target } from "../../../sdk/plugin/index.js";
import { fixturePath } from "./support.js";

/** `/flags` of a stock daemon that was given a few flags, all others having their defaults. */
function captured(target: Target): Record<string, string> {
  return (
    JSON.parse(readFileSync(fixturePath(`mesos-${target}-flags.json`), "utf8")) as {
      flags: Record<string, string>;
    }
  ).flags;
}

/** What that daemon had been given, and what differs from host to host. */
const DIFFERENT: Record<Target, readonly string[]> = {
  master: ["hostname", "ip", "port", "work_dir", "webui_dir"],
  agent: [
    "hostname",
    "ip",
    "port",
    "master",
    "work_dir",
    "runtime_dir",
    "launcher",
    "launcher_dir",
    "appc_store_dir",
    "docker_store_dir",
    "fetcher_cache_dir",
    // Given as true and set to false by the daemon, on a host without systemd.
    "systemd_enable_support",
  ],
};

const COUNT: Record<Target, number> = { master: 78, agent: 167 };

for (const target of ["master", "agent"] as const) {
  const specs = DAEMON_FLAGS[target];
  describe(`the flags of the ${target}`, () => {
    it("are all there, once", () => {
      const ours = ["manifest", "grpc_port", "require_peer_address_ip_match"];
      expect(specs.filter(({ name }) => !ours.includes(name))).to.have.length(COUNT[target]);
      const names = specs.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
      expect(new Set(names).size).to.equal(names.length);
      for (const { name, meaning } of specs) {
        expect(name).to.match(/^[a-z0-9_]+$/);
        expect(meaning, name).to.not.equal("");
      }
    });

    it("have the defaults of Mesos, in Mesos's text form", () => {
      const { settings, problems } = effectiveSettings({ specs, flags: new Map(), manifest: new Map() });
      expect(problems).to.deep.equal([]);
      const shown = Object.fromEntries(new TypedSettings(settings).flags);
      const expected = captured(target);
      for (const name of DIFFERENT[target]) {
        delete shown[name];
        delete expected[name];
      }
      // Flags of builds that the captured daemon was not.
      const builds = specs.filter(({ condition }) => condition?.endsWith("build")).map(({ name }) => name);
      for (const name of builds) if (!(name in expected)) delete shown[name];
      expect(shown).to.deep.equal(expected);
    });

    it("give a reason wherever they are refused", () => {
      for (const { name, support } of specs) {
        if (support.kind === "refused") expect(support.why, name).to.have.length.greaterThan(10);
        if (support.kind === "values") expect(support.allowed, name).to.not.be.empty;
      }
    });

    it("are all in the usage", () => {
      const text = usage(`mesos-${target}`, specs);
      for (const { name } of specs) expect(text).to.include(name);
      for (const line of text.split("\n")) expect(line.length, line).to.be.at.most(100);
    });
  });
}
