import { messageOf } from "../../sdk/errors/index.js";
import type { Attachment } from "./attachment.js";
import type { ContainerDirectory } from "./container-directory.js";
import type { JsonObject } from "./json.js";
import { bringUpLoopback, isNamespace } from "./network-namespace.js";
import type { PluginRunner } from "./plugin-runner.js";
import { type NetworkResult, parseResult, readResult } from "./result.js";

export interface PluginChainOptions {
  readonly runner: PluginRunner;
  /** Where a plugin's program is. */
  readonly program: (type: string) => Promise<string | undefined>;
}

export interface Member {
  readonly containerId: string;
  readonly directory: ContainerDirectory;
  readonly attachment: Attachment;
}

const LOOPBACK = { cniVersion: "0.3.1", name: "loopback", type: "loopback" };

/** ADD and DEL of one container and one network, along the plugins of the network. */
export class PluginChain {
  constructor(private readonly options: PluginChainOptions) {}

  /** Makes 127.0.0.1 usable. It goes with the namespace. */
  async loopback(containerId: string, directory: ContainerDirectory): Promise<void> {
    const plugins = [LOOPBACK];
    const attachment = { network: LOOPBACK.name, ifName: "lo", plugins };
    if ((await this.options.program(LOOPBACK.type)) === undefined)
      return bringUpLoopback(directory.namespace);
    await this.call("ADD", { containerId, directory, attachment }, { type: LOOPBACK.type, input: LOOPBACK });
  }

  /** Rejects with the first failure; then DEL is owed. */
  async add(member: Member): Promise<NetworkResult> {
    const { directory, attachment } = member;
    await directory.saveAttachment(attachment);
    let result: JsonObject | undefined;
    for (const plugin of attachment.plugins) {
      const input = result === undefined ? plugin : { ...plugin, prevResult: result };
      const output = await this.call("ADD", member, { type: plugin.type, input });
      result = this.understood(output, member, plugin.type);
      // After each one: DEL of the next is told what those before it did, also when it never ended.
      await directory.saveResult(attachment, result);
    }
    return parseResult(result ?? {});
  }

  /** Calls every plugin, in reverse, even when one fails; rejects with what failed. Then it can be repeated. */
  async del(member: Member): Promise<void> {
    const { directory, attachment } = member;
    const result = await directory.result(attachment);
    const failures: string[] = [];
    for (const plugin of attachment.plugins.toReversed()) {
      const input = result === undefined ? plugin : { ...plugin, prevResult: result };
      try {
        await this.call("DEL", member, { type: plugin.type, input });
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
    await directory.forget(attachment);
  }

  private async call(
    command: "ADD" | "DEL",
    { containerId, directory, attachment }: Member,
    { type, input }: { type: string; input: JsonObject },
  ): Promise<string> {
    const program = await this.options.program(type);
    if (program === undefined) {
      throw new Error(`the CNI plugin '${type}' of the network '${attachment.network}' is missing`);
    }
    return this.options.runner.run({
      command,
      program,
      containerId,
      network: attachment.network,
      ifName: attachment.ifName,
      namespace: (await isNamespace(directory.namespace)) ? directory.namespace : undefined,
      args: attachment.args,
      input,
      stateDirectory: directory.path,
    });
  }

  private understood(output: string, { attachment }: Member, type: string): JsonObject {
    try {
      return readResult(output);
    } catch (error) {
      throw new Error(
        `the answer of the CNI plugin '${type}' for the network '${attachment.network}' is no result: ${messageOf(error)}`,
      );
    }
  }
}
