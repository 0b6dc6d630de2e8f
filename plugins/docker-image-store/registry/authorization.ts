import { z } from "zod";
import type { Clock } from "../../../sdk/contracts/clock.js";
import { messageOf } from "../../../sdk/errors/index.js";
import { parseJson, pullFailed } from "../refusals.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Credentials } from "./docker-config.js";
import { bodyOf, type HttpAnswer, type HttpRequest } from "./http.js";

const MAX_TOKEN_BYTES = 1024 * 1024;
/** What a token lives where its service does not say, and how much earlier it is given up. */
const DEFAULT_LIFETIME_SECONDS = 60;
const MARGIN_MS = 5000;
const CLIENT = "tepui";

const tokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});

export interface AuthorizationOptions {
  readonly request: HttpRequest;
  readonly clock: Clock;
  /** The registry, for what people read. */
  readonly host: string;
  /** The registry talks over TLS: then nothing secret goes elsewhere without. */
  readonly secure: boolean;
  readonly credentials: Credentials | undefined;
}

/** Gets and keeps what one registry wants to see in `Authorization`, for one pull. */
export class Authorization {
  /** `until` by the monotonic clock: the registry tells how long a token lives, not when it ends. */
  private current: { readonly value: string; readonly until: number } | undefined;
  /** One at a time: the layers of an image ask for the same. */
  private asking: Promise<void> | undefined;

  constructor(private readonly options: AuthorizationOptions) {
    const { credentials } = options;
    if (credentials?.registryToken !== undefined) {
      this.current = { value: `Bearer ${credentials.registryToken}`, until: Number.POSITIVE_INFINITY };
    }
  }

  /** What to send; undefined: nothing yet. */
  header(): string | undefined {
    if (this.current !== undefined && this.options.clock.monotonic() >= this.current.until)
      this.current = undefined;
    return this.current?.value;
  }

  /**
   * Answers a 401.
   *
   * @param sent what the refused request carried
   * @param scope what is to be done, as in `repository:library/alpine:pull`, where the challenge does not say
   * @throws TepuiError TEPUI_IMAGE_PULL_FAILED
   */
  async answer(
    refusal: HttpAnswer,
    {
      sent,
      scope,
      signal,
    }: { readonly sent: string | undefined; readonly scope: string; readonly signal: AbortSignal },
  ): Promise<void> {
    // Another request has got a newer one meanwhile.
    if (this.header() !== undefined && this.header() !== sent) return;
    const challenges = parseChallenges(refusal.header("www-authenticate") ?? "");
    this.asking ??= this.ask(challenges, scope, signal).finally(() => {
      this.asking = undefined;
    });
    await this.asking;
  }

  private async ask(challenges: readonly Challenge[], scope: string, signal: AbortSignal): Promise<void> {
    const { credentials, host } = this.options;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      this.current = await this.token(bearer, scope, signal);
      return;
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) {
      throw pullFailed(
        `the registry ${host} wants to be authenticated to in no way that is known here (Bearer, Basic)`,
      );
    }
    const value = basic(credentials);
    if (value === undefined) {
      throw pullFailed(
        `the registry ${host} wants a user and a password, and --docker_config has none for it`,
      );
    }
    this.current = { value, until: Number.POSITIVE_INFINITY };
  }

  private async token(
    { parameters }: Challenge,
    defaultScope: string,
    signal: AbortSignal,
  ): Promise<{ value: string; until: number }> {
    const { request, clock, host, credentials, secure } = this.options;
    const realm = parseUrl(parameters.get("realm") ?? "");
    if (realm === undefined)
      throw pullFailed(`the registry ${host} names no token service that can be asked`);
    const login = basic(credentials);
    const identity = credentials?.identityToken;
    if (secure && realm.protocol !== "https:" && (login ?? identity) !== undefined) {
      throw pullFailed(
        `the registry ${host} wants the credentials sent to ${realm.origin}, which is not encrypted`,
      );
    }
    const fields = new URLSearchParams();
    const service = parameters.get("service");
    if (service !== undefined) fields.set("service", service);
    const scope = parameters.get("scope") || defaultScope;
    let answer: HttpAnswer;
    try {
      if (identity !== undefined) {
        fields.set("scope", scope);
        fields.set("grant_type", "refresh_token");
        fields.set("refresh_token", identity);
        fields.set("client_id", CLIENT);
        answer = await request(realm, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: fields.toString(),
          signal,
        });
      } else {
        for (const one of scope.split(" ")) fields.append("scope", one);
        for (const [key, value] of fields) realm.searchParams.append(key, value);
        answer = await request(realm, {
          headers: login === undefined ? {} : { authorization: login },
          signal,
        });
      }
    } catch (error) {
      signal.throwIfAborted();
      throw pullFailed(`the token service ${realm.origin} of ${host}: ${messageOf(error)}`, error);
    }
    if (answer.status !== 200) {
      answer.body.destroy();
      const what =
        (login ?? identity) ? "the credentials in --docker_config" : "a request without credentials";
      throw pullFailed(
        `the token service ${realm.origin} of ${host} refuses ${what}, with status ${answer.status}`,
      );
    }
    const parsed = tokenAnswer.safeParse(
      parseJson(await bodyOf(answer, MAX_TOKEN_BYTES), `the answer of the token service ${realm.origin}`),
    );
    const token = parsed.data?.token ?? parsed.data?.access_token;
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      throw pullFailed(`the token service ${realm.origin} of ${host} gives no token`);
    }
    const lifetime = (parsed.data?.expires_in ?? DEFAULT_LIFETIME_SECONDS) * 1000;
    return { value: `Bearer ${token}`, until: clock.monotonic() + Math.max(lifetime - MARGIN_MS, MARGIN_MS) };
  }
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (credentials?.username === undefined) return undefined;
  const pair = `${credentials.username}:${credentials.password ?? ""}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function parseUrl(text: string): URL | undefined {
  if (!/^https?:\/\//.test(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
