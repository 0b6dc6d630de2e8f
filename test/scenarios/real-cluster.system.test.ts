import { expect } from "chai";
import { runExecute } from "../../bin/commands/execute.js";
import { resourceList, SchedulerClient, TaskState } from "../../sdk/index.js";
import { checkFrameworkExample, exampleFile } from "../examples/run-example.js";
import { type Cluster, startCluster } from "../support/cluster.js";
import { freePort } from "../support/daemons.js";
import { runScenario, SCENARIO_FRAMEWORK, schedulerScenarios } from "./scheduler-scenario.js";

describe("clients and a real cluster", function () {
  this.timeout(60_000);
  let cluster: Cluster | undefined;
  let http: string;
  let grpc: string;

  before(async () => {
    const grpcPort = await freePort();
    cluster = await startCluster({ masterFlags: [`--grpc_port=${grpcPort}`] });
    http = `127.0.0.1:${cluster.master.port}`;
    grpc = `127.0.0.1:${grpcPort}`;
  });

  after(() => cluster?.stop());

  for (const scenario of schedulerScenarios()) {
    it(`play '${scenario.name}' alike over HTTP in JSON, in protobuf, and over gRPC`, async () => {
      const framework = SCENARIO_FRAMEWORK;
      const json = await runScenario(
        new SchedulerClient({ master: http, framework, contentType: "json" }),
        scenario,
      );
      const protobuf = await runScenario(new SchedulerClient({ master: http, framework }), scenario);
      const overGrpc = await runScenario(
        new SchedulerClient({ master: grpc, framework, transport: "grpc" }),
        scenario,
      );
      expect(protobuf).to.deep.equal(json);
      expect(overGrpc).to.deep.equal(json);
    });
  }

  it("show what a task prints", async () => {
    const printed: Buffer[] = [];
    const said: Buffer[] = [];
    const code = await runExecute([`--master=${http}`, "--", "printf", "a\\377b\\nlast"], {
      stdout: { write: (chunk) => printed.push(Buffer.from(chunk as string)) },
      stderr: { write: (chunk) => said.push(Buffer.from(chunk as string)) },
      signal: new AbortController().signal,
      style: "tepui",
      environment: {},
    });
    expect(Buffer.concat(printed).toString("latin1"), Buffer.concat(said).toString()).to.equal(
      "a\xffb\nlast",
    );
    expect(code).to.equal(0);
  });

  it("run the example framework", () => checkFrameworkExample(grpc));

  it("run tasks in the example executor", async () => {
    await using client = new SchedulerClient({ master: http, framework: { name: "example executor" } });
    const states: string[] = [];
    const executor = {
      executor_id: { value: "waiter" },
      command: { value: `${process.execPath} ${exampleFile("executor/executor.js")}` },
      resources: resourceList("cpus:0.1;mem:64"),
    };
    let launched = false;
    for await (const event of client.events()) {
      if (event.type === "offers") {
        for (const offer of event.offers) {
          if (launched) void client.decline(offer);
          else
            void client.launch(offer, [
              {
                name: "t",
                task_id: { value: "t" },
                executor: { ...executor, framework_id: offer.framework_id },
                data: Buffer.from("1"),
                resources: resourceList("cpus:0.1;mem:32"),
              },
            ]);
          launched = true;
        }
      } else if (event.type === "update") {
        states.push(TaskState[event.status.state!]);
        if (event.status.state !== TaskState.TASK_RUNNING) break;
      }
    }
    expect(states).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
    await client.teardown();
  });
});
