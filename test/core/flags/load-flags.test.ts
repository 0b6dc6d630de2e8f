import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { DAEMON_FLAGS, effectiveSettings, loadDaemonFlags, startChecks } from "../../../core/flags/index.js";
import type { FlagSources } from "../../../core/flags/load-flags.js";
import type { Target } from "../../../sdk/plugin/index.js";

function load(target: Target, args: readonly string[], more: Omit<FlagSources, "args"> = {}) {
  const loaded = loadDaemonFlags(target, { args, ...more });
  const given = Object.fromEntries([...loaded.given].map(([name, { value }]) => [name, value.value]));
  const origins = Object.fromEntries([...loaded.given].map(([name, { origin }]) => [name, origin.where]));
  return { ...loaded, values: given, origins };
}

describe("the grammar of flags", () => {
  it("reads every type", () => {
    const { values, problems } = load("agent", [
      "--port=5052",
      "--gc_delay=2days",
      "--quiet",
      "--no-switch_user",
      "--hostname_lookup=0",
      '--executor_environment_variables={"A":"b"}',
      "--attributes=rack:a;zone:b",
      "--hostname=",
    ]);
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({
      port: 5052,
      gc_delay: 172_800_000,
      quiet: true,
      switch_user: false,
      hostname_lookup: false,
      executor_environment_variables: { A: "b" },
      attributes: "rack:a;zone:b",
      hostname: "",
    });
  });

  it("keeps what follows the first '=' as it is, lower-cases names, and stops at '--'", () => {
    const { values, others, problems } = load("master", ["--CLUSTER=a=B c", "word", "--", "--nonsense"]);
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({ cluster: "a=B c" });
    expect(others).to.deep.equal(["word"]);
  });

  it("reports everything that is wrong, each under the name that was used", () => {
    const { problems } = load("master", [
      "--prot=1",
      "--port=70000",
      "--cluster",
      "--quiet=maybe",
      "--no-hostname_lookup=true",
      "--no-allocator",
      "--offer_timeout=10",
      "--ip=localhost",
      "--max_completed_frameworks=-1",
      "--agent_ping_timeout=1hrs",
      "--agent_reregister_timeout=1mins",
      "--logging_level=LOUD",
      "--weights=a=0",
      "--min_allocatable_resources=cpus",
      "--agent_removal_rate_limit=fast",
      "--recovery_agent_removal_limit=120%",
      "--roles=ok,not/./ok",
      "--zzz",
    ]);
    expect(problems).to.have.length(18);
    expect(problems.slice(0, 7)).to.deep.equal([
      "--prot: there is no such flag; did you mean --port?",
      "--port: must be an integer, 0 to 65535, found '70000'",
      "--cluster: needs a value, written --cluster=VALUE",
      "--quiet: must be true or false, found 'maybe'",
      "--no-hostname_lookup: takes no value, found 'true'",
      "--no-allocator: --allocator is not a yes-or-no flag and has no 'no-' form",
      "--offer_timeout: has a wrong value: '10' is not a duration; expected a number and a unit, such as 500ms, 10secs or 1.5hrs",
    ]);
    expect(problems.slice(7)).to.deep.equal([
      "--ip: must be an IPv4 address, found 'localhost'",
      "--max_completed_frameworks: must be an integer, 0 or more, found '-1'",
      "--agent_ping_timeout: must be between 1secs and 15mins, found '1hrs'",
      "--agent_reregister_timeout: must be at least 10mins, found '1mins'",
      "--logging_level: must be INFO, WARNING or ERROR, found 'LOUD'",
      "--weights: must give role 'a' a positive weight, not '0', found 'a=0'",
      "--min_allocatable_resources: must be of the form name:quantity;...|name:quantity;..., not 'cpus', found 'cpus'",
      "--agent_removal_rate_limit: must be a rate such as 1/10mins, found 'fast'",
      "--recovery_agent_removal_limit: must be a percentage, 0% to 100%, found '120%'",
      problems[16],
      "--zzz: there is no such flag",
    ]);
    expect(problems[16]).to.match(/^--roles: .*found 'ok,not\/\.\/ok'$/);
  });

  it("refuses a flag that is given twice, also under its older name", () => {
    expect(load("master", ["--port=1", "--port=2"]).problems).to.deep.equal(["--port: is given twice"]);
    expect(
      load("master", ["--agent_ping_timeout=20secs", "--slave_ping_timeout=20secs"]).problems,
    ).to.deep.equal(["--slave_ping_timeout: is given twice (also as --agent_ping_timeout)"]);
  });

  it("understands older names, with a warning", () => {
    const { values, warnings } = load("master", ["--slave_ping_timeout=20secs"]);
    expect(values).to.deep.equal({ agent_ping_timeout: 20_000 });
    expect(warnings).to.deep.equal(["--slave_ping_timeout is deprecated; use --agent_ping_timeout"]);
  });

  it("never crashes, whatever the words are", () => {
    const names = DAEMON_FLAGS.agent.map(({ name }) => name);
    const word = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom(...names), fc.string()).map(([name, text]) => `--${name}=${text}`),
      fc.constantFrom(...names).map((name) => `--no-${name}`),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const { problems, given } = loadDaemonFlags("agent", { args: words });
        expect(problems.every((problem) => problem.includes(": "))).to.equal(true);
        expect(given.size).to.be.at.most(words.length);
      }),
    );
  });
});

describe("flags whose feature is missing", () => {
  it("are refused by name with the reason, unless they have their default or a value that changes nothing", () => {
    const refused = load("master", [
      "--zk=zk://a:2181/mesos",
      "--allocator_recovery_timeout=1mins",
      "--quorum=3",
      "--acls={}",
    ]);
    expect(refused.problems).to.deep.equal([
      "--zk: is refused: election through ZooKeeper is not part of this version yet (leave it out)",
      "--allocator_recovery_timeout: is refused: holding back offers after a failover is not part of this version yet (only '10mins' is accepted)",
      "--quorum: is refused: the registry is kept by one master, without replicas (leave it out)",
      "--acls: is refused: authorization is not part of this version yet (leave it out)",
    ]);
    const fine = load("master", [
      "--allocator_recovery_timeout=600secs",
      "--quorum=1",
      "--allocator=hierarchical",
      "--authenticators=crammd5",
    ]);
    expect(fine.problems).to.deep.equal([]);
  });

  it("cover values of flags that work only in part", () => {
    const { problems } = load("agent", [
      "--launcher=linux",
      "--containerizers=mesos,docker",
      "--isolation=posix/cpu,cgroups/mem",
      "--master=zk://h/mesos",
    ]);
    expect(problems).to.deep.equal([
      "--launcher: must be 'posix' (the linux launcher is not part of this version yet), found 'linux'",
      "--containerizers: must be 'mesos' (the docker containerizer is not part of this version yet), found 'mesos,docker'",
      "--isolation: has the isolator 'cgroups/mem': cgroup isolators are not part of this version yet, found 'posix/cpu,cgroups/mem'",
      "--master: must be host:port: election through ZooKeeper is not part of this version yet, found 'zk://h/mesos'",
    ]);
    expect(load("agent", ["--isolation=posix/mem,acme/license", "--launcher=posix"]).problems).to.deep.equal(
      [],
    );
    expect(load("master", ["--registry=etcd"]).problems).to.deep.equal([
      "--registry: must be 'replicated_log' or 'in_memory', found 'etcd'",
    ]);
  });

  it("take every default that they document", () => {
    for (const target of ["master", "agent"] as const) {
      const args = DAEMON_FLAGS[target].flatMap((spec) =>
        spec.default === undefined ? [] : [`--${spec.name}=${spec.default}`],
      );
      expect(load(target, args).problems, target).to.deep.equal([]);
    }
  });
});

describe("flags from the environment", () => {
  it("come from MESOS_*; the command line wins, other programs' variables are passed over", () => {
    const environment = {
      MESOS_PORT: "1",
      MESOS_QUIET: "",
      "MESOS_NO-HOSTNAME_LOOKUP": "",
      MESOS_CLUSTER: "x",
      MESOS_SANDBOX: "/tmp",
      MESOS_SLAVE_PING_TIMEOUT: "20secs",
      PORT: "3",
    };
    const { values, origins, problems, warnings } = load("master", ["--port=2"], { environment });
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({
      port: 2,
      quiet: true,
      hostname_lookup: false,
      cluster: "x",
      agent_ping_timeout: 20_000,
    });
    expect(origins).to.include({ port: "--port", cluster: "MESOS_CLUSTER" });
    expect(warnings).to.deep.equal(["MESOS_SLAVE_PING_TIMEOUT is deprecated; use --agent_ping_timeout"]);
  });

  it("are checked like any other", () => {
    const environment = { MESOS_PORT: "x", MESOS_ZK: "zk://h/mesos" };
    expect(load("master", [], { environment }).problems).to.deep.equal([
      "MESOS_PORT: must be an integer, 0 to 65535, found 'x'",
      "MESOS_ZK: is refused: election through ZooKeeper is not part of this version yet (leave it out)",
    ]);
  });

  it("include what Mesos's messaging library reads", () => {
    const environment = {
      LIBPROCESS_IP: "127.0.0.1",
      LIBPROCESS_ADVERTISE_IP: "10.0.0.1",
      LIBPROCESS_ADVERTISE_PORT: "5055",
      LIBPROCESS_NUM_WORKER_THREADS: "4",
      LIBPROCESS_SSL_ENABLED: "true",
      SSL_ENABLED: "0",
      LIBPROCESS_SSL_KEY_FILE: "/key",
      MESOS_ADVERTISE_IP: "10.0.0.2",
    };
    const { values, origins, problems, warnings } = load("agent", ["--ip=127.0.0.2"], { environment });
    expect(values).to.deep.equal({ ip: "127.0.0.2", advertise_ip: "10.0.0.2", advertise_port: "5055" });
    expect(origins.advertise_port).to.equal("LIBPROCESS_ADVERTISE_PORT");
    expect(problems).to.deep.equal([
      "LIBPROCESS_SSL_ENABLED: is refused: TLS is not part of this version yet",
    ]);
    expect(warnings).to.deep.equal([
      "LIBPROCESS_NUM_WORKER_THREADS has no effect: one thread does all of this work",
    ]);
  });
});

describe("flags from files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flags-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (path: string, content: string): string => {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  };

  it("take a value from file:///path, but for paths", () => {
    const file = write("env.json", '{"A":"b"}\n');
    const { values, warnings, problems } = load("agent", [
      `--executor_environment_variables=${file}`,
      `--attributes=file://${write("attributes", "rack:1\n")}`,
      `--master=file://${write("master", "127.0.0.1:5050\n")}`,
    ]);
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({
      executor_environment_variables: { A: "b" },
      attributes: "rack:1",
      master: "127.0.0.1:5050",
    });
    expect(warnings).to.deep.equal([
      `--executor_environment_variables: a path without file:// is deprecated; write --executor_environment_variables=file://${file}`,
    ]);
    expect(
      load("agent", ["--cluster=file:///nowhere", "--attributes=file:///nowhere"]).problems.at(-1),
    ).to.match(/^--attributes: cannot be read from its file: ENOENT/);
  });

  it("show the path of a secret, not the secret", () => {
    const path = `file://${write("master", "user:password@127.0.0.1:5050")}`;
    expect(load("agent", [`--master=${path}`]).given.get("master")?.value).to.deep.equal({
      value: "user:password@127.0.0.1:5050",
      text: path,
    });
  });

  it("take a folder with one flag a file, between environment and command line", () => {
    write("flags/port", "5060\n");
    write("flags/cluster", "from file");
    write("flags/?quiet", "");
    write("flags/?no-hostname_lookup", "");
    write("flags/work_dir~", "editor's copy");
    write("flags/.hidden", "x");
    write("flags/zk_session_timeout", "10secs");
    const { values, origins, problems } = load("master", ["--port=5070"], {
      environment: { MESOS_CLUSTER: "from environment", MESOS_PORT: "1" },
      directories: [join(folder, "flags"), join(folder, "missing")],
    });
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({
      port: 5070,
      cluster: "from file",
      quiet: true,
      hostname_lookup: false,
      zk_session_timeout: 10_000,
    });
    expect(origins.cluster).to.equal(join(folder, "flags/cluster"));
  });

  it("join the files of attributes and resources", () => {
    write("flags/attributes/rack", "a\n");
    write("flags/attributes/zone", "b");
    write("flags/resources/cpus", "4");
    const { values } = load("agent", [], { directories: [join(folder, "flags")] });
    expect(values).to.deep.equal({ attributes: "rack:a;zone:b", resources: "cpus:4" });
  });

  it("name the file of a mistake", () => {
    write("flags/prot", "1");
    write("flags/quorum", "2");
    expect(load("master", [], { directories: [join(folder, "flags")] }).problems).to.deep.equal([
      `${join(folder, "flags/prot")}: there is no such flag; did you mean --port?`,
      `${join(folder, "flags/quorum")}: is refused: the registry is kept by one master, without replicas (leave it out)`,
    ]);
  });

  it("take /etc/mesos/zk as a flag", () => {
    const zk = write("zk", "zk://localhost:2181/mesos\n");
    const { problems } = load("master", [], { files: [{ path: zk, flag: "zk" }] });
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/\/zk: is refused: election through ZooKeeper/);
    const missing = {
      files: [
        { path: join(folder, "none"), flag: "zk" },
        { path: write("empty", "\n"), flag: "zk" },
      ],
    };
    expect(load("master", [], missing).problems).to.deep.equal([]);
  });
});

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
      zk: "zk://h/m",
      quiet: { a: 1 },
      offer_timeout: -5,
    });
    expect(problems).to.have.members([
      "m.yaml:4: settings.prot: unknown; did you mean 'port'?",
      'm.yaml:4: settings.quiet: must be true or false, found {"a":1}',
      "m.yaml:4: settings.offer_timeout: must not be negative, found -5",
      "m.yaml:4: settings.port: must be an integer, 0 to 65535, found 'x'",
      "m.yaml:4: settings.zk: is refused: election through ZooKeeper is not part of this version yet (leave it out)",
    ]);
  });
});
