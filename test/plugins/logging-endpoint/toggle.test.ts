import { expect } from "chai";
import { toggle } from "../../../plugins/logging-endpoint/toggle.js";
import type { HttpReply } from "../../../sdk/contracts/http-server.js";
import { TimedVerbosity } from "../../../sdk/contracts/log-verbosity.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

describe("/logging/toggle", () => {
  const clock = new VirtualClock();
  const verbosity = new TimedVerbosity(clock);

  function ask(query: string): string {
    let answer = "";
    const send = (status: number, body = ""): void => {
      answer = `${status} ${body}`;
    };
    try {
      toggle(verbosity, new URLSearchParams(query), { send, text: send } as unknown as HttpReply);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      send(error.http, error.detail);
    }
    return answer;
  }

  it("sets the level for as long as it is asked to; the last word holds", async () => {
    expect(ask("")).to.equal("200 0\n");
    expect(ask("level=2&duration=10secs")).to.equal("200 ");
    await clock.advance(5_000);
    expect(ask("level=1&duration=10secs")).to.equal("200 ");
    await clock.advance(9_999);
    expect(ask("")).to.equal("200 1\n");
    await clock.advance(1);
    expect(ask("")).to.equal("200 0\n");
    ask("level=3&duration=1weeks");
    ask("level=0&duration=1secs");
    expect(ask("")).to.equal("200 0\n");
  });

  it("refuses as Mesos does", () => {
    expect(ask("level=1")).to.equal("400 Expecting 'duration=value' in query.\n");
    expect(ask("duration=1secs")).to.equal("400 Expecting 'level=value' in query.\n");
    expect(ask("level=x&duration=1secs")).to.equal("400 Failed to convert 'x' to number.\n");
    expect(ask("level=-1&duration=1secs")).to.equal("400 Invalid level '-1'.\n");
    expect(ask("level=1&duration=soon").slice(0, 4)).to.equal("400 ");
    expect(ask("")).to.equal("200 0\n");
  });
});
