import { readFile, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { compileFilter } from "./filter.js";
import { parseProfile, type SeccompProfile } from "./profile.js";
import type { Architecture } from "./system-calls.js";

export interface SeccompOptions {
  /** Directory of profiles. */
  readonly configDir: string;
  /** Of containers that name none; undefined: these go without. */
  readonly defaultProfile: string | undefined;
  readonly architectures: readonly Architecture[];
  readonly kernel: string;
  /** What processes of the container can ever have, without `CAP_`. */
  readonly capabilities: (request: ContainerRequest) => ReadonlySet<string>;
}

/** `linux/seccomp`: lets containers make only those system calls that a profile in Docker's format allows. */
export class SeccompIsolator implements Isolator {
  readonly name = "linux/seccomp";
  readonly nesting = true;
  private defaultProfile: SeccompProfile | undefined;

  constructor(private readonly options: SeccompOptions) {}

  /** Reads the default profile. Rejects with TEPUI_SECCOMP_PROFILE_INVALID. */
  async start(): Promise<void> {
    const { defaultProfile } = this.options;
    if (defaultProfile !== undefined) this.defaultProfile = await this.read(defaultProfile);
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const profile = await this.profileOf(request);
    if (profile === undefined) return undefined;
    const { architectures, kernel, capabilities } = this.options;
    const filter = compileFilter(profile, { architectures, kernel, capabilities: capabilities(request) });
    return { seccompFilter: filter.toString("base64") };
  }

  private async profileOf({ container }: ContainerRequest): Promise<SeccompProfile | undefined> {
    const wish = container?.linux_info?.seccomp;
    if (wish === undefined) return this.defaultProfile;
    const name = wish.profile_name;
    if (wish.unconfined === true) {
      if (name === undefined) return undefined;
      throw invalid("'profile_name' is given although 'unconfined' is set");
    }
    if (name === undefined) throw invalid("neither 'profile_name' nor 'unconfined' is given");
    return this.read(name);
  }

  /** The framework names it: it must lie in the operator's directory. */
  private async read(name: string): Promise<SeccompProfile> {
    const { configDir } = this.options;
    const file = join(configDir, name);
    try {
      const inside = relative(await realpath(configDir), await realpath(file));
      if (inside.startsWith("..") || inside.startsWith("/"))
        throw invalid(`'${name}' lies outside of '${configDir}'`);
      return parseProfile(await readFile(file, "utf8"), file);
    } catch (error) {
      if (error instanceof TepuiError) throw error;
      throw invalid(`the profile '${name}' cannot be read: ${messageOf(error)}`);
    }
  }
}

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_SECCOMP_PROFILE_INVALID", { detail });
