import { createHmac } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ExecutorTokens, readTokenKey } from "../../../../core/agent/executors/executor-tokens.js";
import { Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";
import { AgentBench, executorCall, FRAMEWORK_ID } from "../support/agent-bench.js";

const KEY = Buffer.from("a key of some length");
const CLAIMS = { fid: "f", eid: "e", cid: "c" };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with a good signature, whatever is in it. */
function token(header: unknown, payload: unknown, key = KEY): string {
  const content = `${part(header)}.${part(payload)}`;
  return `${content}.${createHmac("sha256", key).update(content).digest("base64url")}`;
}

describe("tokens of executors", () => {
  const clock = new VirtualClock();
  const tokens = new ExecutorTokens(KEY, clock);
  const HS256 = { alg: "HS256", typ: "JWT" };

  it("are JSON Web Tokens, as others make and read them", () => {
    expect(tokens.sign(CLAIMS)).to.equal(token(HS256, CLAIMS));
    expect(tokens.identify(`Bearer ${tokens.sign(CLAIMS)}`)).to.deep.equal({ claims: CLAIMS });
    expect(tokens.identify(`Bearer ${token(HS256, { n: 1, exp: clock.now() / 1000 + 1 })}`).problem).to.equal(
      undefined,
    );
  });

  const nobody: Record<string, [string | undefined, RegExp]> = {
    "nothing at all": [undefined, /^$/],
    "another scheme": ["Basic abc", /not 'Bearer'/],
    "no token": ["Bearer", /Malformed/],
    "too much": [`Bearer ${tokens.sign(CLAIMS)} more`, /Malformed/],
    garbage: ["Bearer garbage", /three parts/],
    "four parts": [`Bearer ${tokens.sign(CLAIMS)}.x`, /three parts/],
    "no signature": [`Bearer ${part(HS256)}.${part(CLAIMS)}.`, /three parts/],
    "no algorithm": [`Bearer ${token({ alg: "none" }, CLAIMS)}`, /algorithm/],
    "demands that are not understood": [`Bearer ${token({ ...HS256, crit: ["b64"] }, CLAIMS)}`, /algorithm/],
    "a header that is no JSON": [`Bearer eA.${part(CLAIMS)}.eA`, /header is no JSON object/],
    "another key": [`Bearer ${token(HS256, CLAIMS, Buffer.from("other"))}`, /signature/],
    "other claims under the same signature": [
      `Bearer ${tokens.sign(CLAIMS).replace(part(CLAIMS), part({ ...CLAIMS, eid: "x" }))}`,
      /signature/,
    ],
    "claims that are no object": [`Bearer ${token(HS256, ["f"])}`, /payload is no JSON object/],
    "a time that is over": [`Bearer ${token(HS256, { ...CLAIMS, exp: clock.now() / 1000 - 1 })}`, /expired/],
  };
  for (const [what, [header, problem]] of Object.entries(nobody)) {
    it(`show nobody: ${what}`, () => expect(tokens.identify(header).problem).to.match(problem));
  }

  it("are signed with a key of a file, which is said to be open to all where it is", () => {
    const folder = mkdtempSync(join(tmpdir(), "tepui-key-"));
    try {
      const path = join(folder, "key");
      writeFileSync(path, KEY, { mode: 0o600 });
      const logger = new MemoryLogger();
      expect(readTokenKey(path, logger).equals(KEY)).to.equal(true);
      expect(logger.lines).to.have.length(0);
      chmodSync(path, 0o644);
      readTokenKey(path, logger);
      expect(logger.lines).to.have.length(1);
      for (const [unusable, why] of [
        [join(folder, "missing"), /ENOENT/],
        [folder, /EISDIR/],
      ] as const)
        expect(() => readTokenKey(unusable, logger)).to.throw(why);
      writeFileSync(path, "");
      expect(() => readTokenKey(path, logger)).to.throw(/it is empty/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an agent that authenticates executors", () => {
  async function launched(authenticateExecutors: boolean) {
    const bench = await AgentBench.registered({ tokenKey: KEY, authenticateExecutors });
    for (const id of ["e1", "e2"])
      bench.run(bench.task(`of-${id}`, { executor: bench.custom(id) }), bench.framework(), true);
    bench.run(bench.task("command"));
    await bench.settle();
    const tokenOf = (id: string): string | undefined =>
      bench.containerizer.of(id).request.environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
    const call = (id: string, claims: Readonly<Record<string, string>> | undefined) =>
      bench.agent.calls.call(executorCall(id, { type: Call_Type.MESSAGE, message: {} }), claims);
    const claimsOf = (id: string) => {
      const { claims, problem } = {
        claims: undefined,
        ...bench.agent.calls.identify(`Bearer ${tokenOf(id)}`),
      };
      expect(problem).to.equal(undefined);
      return claims!;
    };
    return { bench, tokenOf, call, claimsOf };
  }

  it("gives each a token, and none to command tasks", async () => {
    const { bench, tokenOf, claimsOf } = await launched(true);
    expect(claimsOf("e1")).to.deep.equal({
      fid: FRAMEWORK_ID,
      eid: "e1",
      cid: bench.containerizer.of("e1").request.containerId.value,
    });
    expect(tokenOf("command")).to.equal(undefined);
  });

  it("takes from each only what it says for itself", async () => {
    const { bench, call, claimsOf } = await launched(true);
    const claims = claimsOf("e1");
    bench.subscribe("e1");
    void call("e1", claims);
    expect(() => call("e2", claims)).to.throw(/'eid' claim with the executor ID e2/);
    expect(() => call("e1", { ...claims, fid: "other" })).to.throw(/'fid' claim/);
    expect(() => call("e1", { ...claims, cid: "earlier run" })).to.throw(/'cid' claim/);
    expect(() => call("e1", {})).to.throw(/'fid' claim/);
    const connection = { send: () => true, close: () => undefined };
    const subscription = { call: executorCall("e2", { type: Call_Type.SUBSCRIBE }), connection, claims };
    expect(() => bench.agent.calls.subscribe(subscription)).to.throw(/'eid' claim/);
    expect(bench.agent.state.executor(FRAMEWORK_ID, "e2")!.state).to.equal("registering");
  });

  it("asks for none where it is not told to, but gives them", async () => {
    const { bench, tokenOf } = await launched(false);
    expect(tokenOf("e1")).to.match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(bench.agent.calls.identify(undefined)).to.deep.equal({ claims: undefined });
  });
});
