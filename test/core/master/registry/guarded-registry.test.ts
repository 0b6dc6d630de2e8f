import { expect } from "chai";
import { GuardedRegistry } from "../../../../core/master/registry/guarded-registry.js";
import type { Registry } from "../../../../sdk/contracts/registry.js";
import { isTepuiError } from "../../../../sdk/errors/index.js";

describe("the registry of a term", () => {
  it("ignores calls left over from an earlier term, while serving the next one", async () => {
    let taken = 0;
    const store: Pick<Registry, "apply"> = {
      apply: async () => {
        taken++;
        return true;
      },
    };
    let isCurrent = true;
    const failures: unknown[] = [];
    const term = { isCurrent: () => isCurrent, failed: (error: unknown) => void failures.push(error) };
    const registry = new GuardedRegistry(store as Registry, { holds: () => true }, term);
    const change = () => registry.apply({ kind: "remove-agent", agentId: { value: "S0" } });
    expect(await change()).to.equal(true);
    isCurrent = false;
    const problem = await change().catch((error: unknown) => error);
    expect(isTepuiError(problem) && problem.code).to.equal("TEPUI_REGISTRY_CLOSED");
    expect(taken).to.equal(1);
    expect(failures).to.deep.equal([]);
  });
});
