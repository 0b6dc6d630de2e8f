import { expect } from "chai";
import { ContainerIsolation } from "../../../plugins/mesos-containerizer/container-isolation.js";
import { PendingOperations } from "../../../plugins/mesos-containerizer/pending-operations.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { until } from "../../support/until.js";

const never = new AbortController().signal;

describe("an isolator whose author made a mistake", () => {
  let logger: MemoryLogger;
  beforeEach(() => {
    logger = new MemoryLogger();
  });

  /** Authors of plain JavaScript have no compiler that would refuse it. */
  const withIsolator = (methods: Readonly<Record<string, () => unknown>>): ContainerIsolation =>
    new ContainerIsolation({
      id: "c",
      isolators: [{ name: "acme/stamp", ...methods } as unknown as Isolator],
      pending: new PendingOperations(),
      logger,
    });

  const prepared = (returned: unknown): Promise<string> =>
    withIsolator({ prepare: () => returned })
      .prepare({} as ContainerRequest, never)
      .then(() => "prepared", messageOf);

  it("fails the launch in words that name it, and what is wrong", async () => {
    const wrong: [unknown, string][] = [
      ["text", "it returned a value of type string in place of a contribution"],
      [null, "it returned null in place of a contribution"],
      [{ enviroment: { A: "b" } }, "it returned 'enviroment', which is no field of a contribution"],
      [{ mounts: 5 }, "'mounts' must be a list, not a value of type number"],
      [{ namespaces: "pid" }, "'namespaces' must be a list, not a value of type string"],
      [{ environment: ["A=b"] }, "'environment' must be an object, not a list"],
      [{ environment: { A: 5 } }, "the variable A must be a text, not a value of type number"],
    ];
    for (const [returned, text] of wrong)
      expect(await prepared(returned)).to.contain(
        `isolator 'acme/stamp' failed to prepare the container: ${text}`,
      );
    for (const right of [undefined, {}, { environment: { A: "b" }, user: undefined, wrap: ["nice"] }])
      expect(await prepared(right)).to.equal("prepared");
  });

  it("is named also when it throws before it returns a promise", async () => {
    const thrower = withIsolator({
      prepare: () => {
        throw new Error("no such thing");
      },
      isolate: () => {
        throw new Error("no such thing");
      },
      watch: () => {
        throw new Error("no such thing");
      },
    });
    expect(await thrower.prepare({} as ContainerRequest, never).catch(messageOf)).to.contain(
      "isolator 'acme/stamp' failed to prepare the container: no such thing",
    );
    expect(await thrower.isolate({ pid: 1 }, {}, never).catch(messageOf)).to.contain(
      "isolator 'acme/stamp' failed to isolate the container: no such thing",
    );
    thrower.watch(never, () => expect.fail("there is no limit"));
    await until(() => logger.messages("warn").includes("cannot watch limits"), { limit: 8000 });
  });
});
