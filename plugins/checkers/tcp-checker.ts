import type { Duplex } from "node:stream";
import type {
  Checker,
  CheckOutcome,
  CheckSpec,
  CheckTarget,
  PreparedCheck,
} from "../../sdk/contracts/checker.js";
import type { Answer } from "./network/check-helper.js";
import type { Network, Verdicts } from "./network/network.js";

/** Healthy is where a connection can be made. */
export class TcpChecker implements Checker {
  constructor(private readonly network: Network) {}

  prepare({ address, port }: CheckSpec, { pid }: CheckTarget): PreparedCheck {
    const place = this.network.place(pid);
    return {
      async run(signal) {
        if (!place.canAsk) return place.exchange({ address, port, signal }, connects);
        const answer = await place.ask({ address, port, request: "", signal });
        if (answer === undefined) return undefined;
        return outcomeOf(answer);
      },
      repeat: ({ interval, timeout, found, late, ended }) =>
        place.repeat({ address, port, request: "" }, { interval, timeout }, (answer) => {
          if (answer === "late") late();
          else if (answer === "gone") ended();
          else found(outcomeOf(answer));
        }),
    };
  }
}

const outcomeOf = ({ problem }: Answer): CheckOutcome =>
  problem === undefined ? CONNECTED : notConnected(problem);

const CONNECTED: CheckOutcome = { healthy: true, connected: true };

const notConnected = ({ message }: Error): CheckOutcome => ({
  healthy: false,
  connected: false,
  message: `TCP connection failed: ${message}`,
});

function connects(connection: Duplex, { found, failed }: Verdicts): void {
  connection.once("connect", () => found(CONNECTED));
  connection.on("error", (error) => failed(error, notConnected(error)));
}
