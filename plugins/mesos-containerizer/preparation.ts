import type { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import type { ProvisionedImage, Provisioner } from "../../sdk/contracts/image.js";
import type { LaunchPlan } from "../../sdk/contracts/launcher.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import type { Container } from "./container.js";
import { planLookingIn } from "./looking-in.js";
import { launchPlan, refused, switchedUser } from "./plan.js";

export interface PreparationOptions {
  readonly containerLogger: ContainerLogger;
  readonly sandboxFetch: SandboxFetch;
  /** Absent: this agent has no images. */
  readonly provisioner?: Provisioner | undefined;
}

/** What has to be there before a container can be launched: its image, its files, and what its isolators contribute. */
export class Preparation {
  constructor(private readonly options: PreparationOptions) {}

  /**
   * Fetches and prepares everything, and says how to launch it. The container's request has its image and what it is within afterwards.
   *
   * @param record path of the launcher's record
   */
  async plan(container: Container, record: string): Promise<LaunchPlan> {
    const { request, parent } = container;
    const [image] = await Promise.all([this.image(container), this.fetch(container)]);
    container.request = {
      ...request,
      ...(image !== undefined && { image }),
      ...(parent !== undefined && { within: { request: parent.request, pid: parent.process!.pid } }),
    };
    return request.class === "debug" ? this.lookingIn(container, record) : this.own(container, record);
  }

  private async lookingIn(container: Container, record: string): Promise<LaunchPlan> {
    const { id, request, parent } = container;
    const io = await this.options.containerLogger.prepare(request);
    const { process, surroundings } = parent!;
    if (surroundings === undefined)
      throw refused(`the environment of container ${parent!.id} is not known any more`);
    return planLookingIn({ id, request, io, record, pid: process!.pid, surroundings });
  }

  private async own(container: Container, record: string): Promise<LaunchPlan> {
    const { isolation, abort } = container;
    const contribution = await isolation.prepare(container.request, abort.signal);
    const io = await this.options.containerLogger.prepare(container.request);
    const { immediate } = isolation;
    // As it is by now: its resources may have been changed meanwhile.
    return launchPlan({ request: container.request, contribution, io, record, immediate });
  }

  private async image({ id, request, abort }: Container): Promise<ProvisionedImage | undefined> {
    const image = request.container?.mesos?.image;
    if (image === undefined || request.class === "debug") return undefined;
    return this.options.provisioner?.provision(id, image, { signal: abort.signal });
  }

  private async fetch({ request, abort }: Container): Promise<void> {
    if (request.command.uris.length === 0) return;
    const user = switchedUser(request.user);
    await this.options.sandboxFetch.fetch({ request, user, signal: abort.signal });
  }
}
