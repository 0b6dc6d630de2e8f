import { isTepuiError, messageOf } from "../../sdk/errors/index.js";
import type { Cluster } from "./cluster.js";
import type { MasterLife } from "./master-node.js";
import { Connection, type Party } from "./network.js";
import type { SimulatedProcess } from "./process.js";

/** Refused: nothing was changed. Unsure: there was no answer, or one that does not say what was done. */
export type Answer = "done" | "refused" | "unsure";

export interface LeaderCall {
  readonly client: SimulatedProcess;
  readonly leader: MasterLife;
  /** Description of the call. */
  readonly text: string;
  readonly perform: () => Promise<void>;
  readonly answered: (answer: Answer) => void;
}

/** Makes a call to the leading master, as over HTTP. */
export function callLeader({ world, network }: Cluster, call: LeaderCall): void {
  const { leader, text } = call;
  world.note(`op asks ${leader.process.name}: ${text}`);
  let open = true;
  const answered = (answer: Answer, said: string): void => {
    if (!open) return;
    open = false;
    world.note(`op hears of ${text}: ${said}`);
    call.answered(answer);
  };
  const client: Party = { process: call.client, closed: () => answered("unsure", "no answer") };
  const server: Party = { process: leader.process, closed: () => undefined };
  const connection = new Connection(network, client, server);
  const reply = (answer: Answer, said: string): void => {
    connection.send(server, () => {
      answered(answer, said);
      connection.close(client);
    });
  };
  connection.send(client, () => {
    perform(call).then(
      () => reply("done", "done"),
      (error: unknown) => {
        // A bad request changes nothing; after any other error the outcome is unknown.
        const refused = isTepuiError(error) && error.code === "TEPUI_OPERATOR_REQUEST_INVALID";
        reply(refused ? "refused" : "unsure", messageOf(error));
      },
    );
  });
}

/** A synchronous exception is an answer, too. */
const perform = async (call: LeaderCall): Promise<void> => call.perform();
