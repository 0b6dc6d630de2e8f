import { constants } from "node:fs";
import { access, readdir, readFile, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { type NetworkConfig, parseNetworkConfig, programsOf } from "./network-config.js";

interface ReadFile {
  readonly text: string;
  /** Absent: it cannot be used. */
  readonly config: NetworkConfig | undefined;
}

export interface NetworkConfigsOptions {
  /** Every file in it describes a network, but those that editors leave (`.x`, `x~`). */
  readonly directory: string;
  /** Colon-separated. */
  readonly pluginPath: string;
  readonly logger: Logger;
}

/**
 * The networks of this host. The files are read at each use, so that a network can be added or changed at any time; there are few of
 * them and they are small. One that cannot be used is reported once and leaves the others alone.
 */
export class NetworkConfigs {
  private files = new Map<string, ReadFile>();
  private duplicates = new Set<string>();

  constructor(private readonly options: NetworkConfigsOptions) {}

  /** Throws an Error for a network that is not there, with those that are, or whose programs are missing. */
  async find(name: string): Promise<NetworkConfig> {
    const networks = await this.load();
    const config = networks.get(name);
    if (config === undefined) throw new Error(`Unknown CNI network '${name}'; ${this.overview(networks)}`);
    const missing = await this.missingPrograms(config);
    if (missing.length > 0) throw new Error(`the CNI network '${name}' ${this.lacks(missing)}`);
    return config;
  }

  /** Reports what is amiss before anybody asks for it; returns the names of all networks. */
  async inspect(): Promise<string[]> {
    const networks = await this.load();
    for (const config of networks.values()) {
      const missing = await this.missingPrograms(config);
      if (missing.length === 0) continue;
      this.options.logger.error(
        { network: config.name },
        `a CNI network cannot be used: it ${this.lacks(missing)}`,
      );
    }
    return [...networks.keys()];
  }

  /** Where a plugin's program is: the first in the order of the path. */
  async program(type: string): Promise<string | undefined> {
    for (const directory of this.options.pluginPath.split(delimiter).filter(Boolean)) {
      const path = join(directory, type);
      try {
        await access(path, constants.X_OK);
        if ((await stat(path)).isFile()) return path;
      } catch {
        // Not in this one.
      }
    }
    return undefined;
  }

  private async load(): Promise<Map<string, NetworkConfig>> {
    const { directory } = this.options;
    const files = new Map<string, ReadFile>();
    const names = (await readdir(directory)).filter((name) => !name.startsWith(".") && !name.endsWith("~"));
    for (const name of names.sort()) {
      const file = await this.read(join(directory, name));
      if (file !== undefined) files.set(join(directory, name), file);
    }
    this.files = files;
    return this.byName();
  }

  private async read(path: string): Promise<ReadFile | undefined> {
    const before = this.files.get(path);
    try {
      if (!(await stat(path)).isFile()) return undefined;
      const text = await readFile(path, "utf8");
      return before?.text === text ? before : { text, config: this.parse(path, text) };
    } catch (error) {
      if (before?.text !== "") this.complain(path, `it cannot be read: ${messageOf(error)}`);
      return { text: "", config: undefined };
    }
  }

  private parse(path: string, text: string): NetworkConfig | undefined {
    try {
      return parseNetworkConfig(text);
    } catch (error) {
      this.complain(path, messageOf(error));
      return undefined;
    }
  }

  /** Of two with the same name the first file's stands. */
  private byName(): Map<string, NetworkConfig> {
    const networks = new Map<string, NetworkConfig>();
    const duplicates = new Set<string>();
    for (const [path, { config }] of this.files) {
      if (config === undefined) continue;
      if (!networks.has(config.name)) {
        networks.set(config.name, config);
        continue;
      }
      duplicates.add(path);
      if (!this.duplicates.has(path))
        this.complain(path, `the network '${config.name}' is in another file already`);
    }
    this.duplicates = duplicates;
    return networks;
  }

  private async missingPrograms(config: NetworkConfig): Promise<string[]> {
    const missing: string[] = [];
    for (const type of programsOf(config)) {
      if ((await this.program(type)) === undefined) missing.push(`'${type}'`);
    }
    return missing;
  }

  private lacks(missing: readonly string[]): string {
    const plural = missing.length > 1 ? "s" : "";
    return `needs the CNI plugin${plural} ${missing.join(", ")}, not found in '${this.options.pluginPath}'`;
  }

  private overview(networks: ReadonlyMap<string, NetworkConfig>): string {
    const unusable = [...this.files].filter(([, { config }]) => config === undefined).map(([path]) => path);
    const known = [...networks.keys()].map((name) => `'${name}'`).join(", ");
    const bad = unusable.length > 0 ? `; not usable: ${unusable.join(", ")}` : "";
    return known === ""
      ? `there are no networks in '${this.options.directory}'${bad}`
      : `there are ${known}${bad}`;
  }

  private complain(file: string, problem: string): void {
    this.options.logger.error({ file }, `a CNI network configuration is left out: ${problem}`);
  }
}
