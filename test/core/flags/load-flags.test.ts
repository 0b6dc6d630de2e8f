import { expect } from "chai";
import fc from "fast-check";
import { DAEMON_FLAGS, loadDaemonFlags } from "../../../core/flags/index.js";
import { load } from "./load.js";

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

  it("takes nothing behind the '=' of a yes-or-no flag for no '=', as Mesos does", () => {
    const { values, problems } = load("agent", ["--quiet=", "--no-switch_user=", "--hostname_lookup"]);
    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal({ quiet: true, switch_user: false, hostname_lookup: true });
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
      "--advertise_port=0",
      "--roles=ok,not/./ok",
      "--zzz",
    ]);
    expect(problems).to.have.length(19);
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
      "--advertise_port: must be a port, 1 to 65535, found '0'",
      problems[17],
      "--zzz: there is no such flag",
    ]);
    expect(problems[17]).to.match(/^--roles: .*found 'ok,not\/\.\/ok'$/);
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
      "--master_contender=x",
      "--authentication_v0_timeout=1mins",
      "--acls={}",
    ]);
    expect(refused.problems).to.deep.equal([
      "--master_contender: is refused: Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead (leave it out)",
      "--authentication_v0_timeout: is refused: authentication is not part of this version yet (only '15secs' is accepted)",
      "--acls: is refused: authorization is not part of this version yet (leave it out)",
    ]);
    const fine = load("master", [
      "--zk_session_timeout=10000ms",
      "--quorum=1",
      "--allocator=hierarchical",
      "--authenticators=crammd5",
    ]);
    expect(fine.problems).to.deep.equal([]);
  });

  it("cover values of flags that work only in part", () => {
    const { problems } = load("agent", ["--launcher=windows", "--isolation=posix/cpu,windows/cpu"]);
    expect(problems).to.deep.equal([
      "--launcher: must be 'linux' or 'posix', found 'windows'",
      "--isolation: has the isolator 'windows/cpu': it exists on Windows only, found 'posix/cpu,windows/cpu'",
    ]);
    expect(load("agent", ["--isolation=posix/mem,acme/license", "--launcher=posix"]).problems).to.deep.equal(
      [],
    );
    expect(load("master", ["--registry=etcd"]).problems).to.deep.equal([
      "--registry: must be 'replicated_log' or 'in_memory' or 'etcd://...' or 'etcds://...', found 'etcd'",
    ]);
    for (const url of ["etcd://user:secret@h1,h2/mesos", "etcds://h1:1234/mesos"]) {
      expect(load("master", [`--registry=${url}`]).problems).to.deep.equal([]);
    }
  });

  it("understand old names of isolators, and say so", () => {
    const { given, warnings, problems } = load("agent", ["--isolation=cgroups,process,disk/du"]);
    expect(problems).to.deep.equal([]);
    expect(given.get("isolation")?.value).to.deep.equal({
      value: "cgroups/cpu,cgroups/mem,posix/cpu,posix/mem,disk/du",
      text: "cgroups,process,disk/du",
    });
    expect(warnings).to.deep.equal([
      "--isolation: deprecated names of isolators: 'cgroups' is now 'cgroups/cpu,cgroups/mem'; 'process' is now 'posix/cpu,posix/mem'",
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
