import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { load } from "./load.js";

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
    const environment = { MESOS_PORT: "x", MESOS_MASTER_CONTENDER: "x" };
    expect(load("master", [], { environment }).problems).to.deep.equal([
      "MESOS_PORT: must be an integer, 0 to 65535, found 'x'",
      "MESOS_MASTER_CONTENDER: is refused: Mesos modules are C++ libraries and cannot be loaded; list a plugin in the manifest instead (leave it out)",
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

  it("show nothing of an object with passwords, given or wrong", () => {
    const text = '{"auths":{"registry.example":{"auth":"dXNlcjpwYXNz"}}}';
    const shown = (flag: string) => load("agent", [`--docker_config=${flag}`]).given.get("docker_config");
    expect(shown(text)?.value).to.deep.equal({ value: JSON.parse(text), text: "********" });
    const path = write("config.json", text);
    expect(shown(`file://${path}`)?.value).to.deep.equal({ value: JSON.parse(text), text: `file://${path}` });
    expect(shown(path)?.value).to.deep.equal({ value: JSON.parse(text), text: path });
    for (const wrong of ['"dXNlcjpwYXNz"', '{"auth": dXNlcjpwYXNz}', `["dXNlcjpwYXNz"]`]) {
      const { problems } = load("agent", [`--docker_config=${wrong}`]);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.match(/^--docker_config: .*JSON/);
      expect(problems[0]).to.not.match(/dXNlc/);
    }
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
    write("flags/quorum", "0");
    expect(load("master", [], { directories: [join(folder, "flags")] }).problems).to.deep.equal([
      `${join(folder, "flags/prot")}: there is no such flag; did you mean --port?`,
      `${join(folder, "flags/quorum")}: must be at least 1, found '0'`,
    ]);
  });

  it("take /etc/mesos/zk as a flag", () => {
    const zk = write("zk", "zk://localhost:2181/mesos\n");
    const { problems, values } = load("master", [], { files: [{ path: zk, flag: "zk" }] });
    expect(problems).to.deep.equal([]);
    expect(values.zk).to.equal("zk://localhost:2181/mesos");
    const missing = {
      files: [
        { path: join(folder, "none"), flag: "zk" },
        { path: write("empty", "\n"), flag: "zk" },
      ],
    };
    expect(load("master", [], missing).problems).to.deep.equal([]);
  });
});
