import type { Checker, CheckSpec, CheckTarget, PreparedCheck } from "../../sdk/contracts/checker.js";
import type { Network } from "./network/network.js";

/** Healthy is where a connection can be made. */
export class TcpChecker implements Checker {
  constructor(private readonly network: Network) {}

  prepare({ address, port }: CheckSpec, { pid }: CheckTarget): PreparedCheck {
    const place = this.network.place(pid);
    return {
      run: (signal) =>
        place.exchange({ address, port, signal }, (connection, { found, failed }) => {
          connection.once("connect", () => found({ healthy: true, connected: true }));
          connection.on("error", (error) =>
            failed(error, {
              healthy: false,
              connected: false,
              message: `TCP connection failed: ${error.message}`,
            }),
          );
        }),
    };
  }
}
