import type { Origin } from "../flags/assignment.js";
import type { EffectiveSetting } from "../flags/effective-settings.js";
import type { Environment } from "../flags/sources.js";
import { closest } from "../kernel/closest.js";
import type { ManifestSource } from "./source.js";

type Path = readonly PropertyKey[];

export interface ReferenceContext {
  readonly source: ManifestSource;
  readonly environment: Environment;
  /** Undefined where `${flag:...}` is not allowed: in the settings themselves. */
  readonly settings: ReadonlyMap<string, EffectiveSetting> | undefined;
}

export interface Resolved {
  /** The data with every reference resolved. */
  readonly value: unknown;
  /** The origin of each plain value, by path encoded as JSON. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly problems: readonly string[];
}

/** `$${` stands for `${`; `${NAME}`, `${NAME:-default}`, `${flag:name}`, `${flag:name:-default}`. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;
const WHOLE = /^\$\{([^}]*)\}$/;
const INNER = /^(flag:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** What a reference resolves to; `value` undefined: it is unset and has no default. */
interface Referent {
  readonly value: unknown;
  readonly origin: Origin;
}

export const pathKey = (path: Path): string => JSON.stringify(path);

/** Resolves the references below `base`. A field or list item that consists only of an unset reference is left out. */
export function resolveReferences(data: unknown, base: Path, context: ReferenceContext): Resolved {
  const resolver = new Resolver(context);
  const value = resolver.walk(data, base);
  return { value, origins: resolver.origins, problems: resolver.problems };
}

class Resolver {
  readonly origins = new Map<string, Origin>();
  readonly problems: string[] = [];

  constructor(private readonly context: ReferenceContext) {}

  walk(data: unknown, path: Path): unknown {
    if (Array.isArray(data)) {
      const items: unknown[] = [];
      for (const [index, item] of data.entries()) {
        const value = this.walk(item, [...path, index]);
        if (value !== undefined) items.push(value);
      }
      return items;
    }
    if (typeof data === "object" && data !== null) {
      const fields = Object.entries(data).map(
        ([key, item]) => [key, this.walk(item, [...path, key])] as const,
      );
      return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
    }
    const { value, origin } = typeof data === "string" ? this.text(data, path) : this.written(data, path);
    if (value !== undefined) this.origins.set(pathKey(path), origin);
    return value;
  }

  private written(value: unknown, path: Path): Referent {
    return { value, origin: { kind: "manifest", where: this.context.source.where(path) } };
  }

  private text(text: string, path: Path): Referent {
    if (!text.includes("${")) return this.written(text, path);
    const whole = WHOLE.exec(text);
    if (whole !== null) return this.whole(whole[1]!, path);
    let origin: Origin = { kind: "manifest", where: this.context.source.where(path) };
    const value = text.replace(REFERENCE, (match, inner: string | undefined) => {
      if (inner === undefined) return match.slice(1);
      const referent = this.refer(inner, path);
      if (referent === undefined) return "";
      if (referent.value === undefined) this.missing(inner, path);
      origin = referent.origin;
      return String(referent.value ?? "");
    });
    return { value, origin };
  }

  /** A value that consists only of a reference keeps the type of what it refers to. */
  private whole(inner: string, path: Path): Referent {
    const referent = this.refer(inner, path);
    if (referent === undefined) return this.written(undefined, path);
    const isFlag = inner.startsWith("flag:");
    if (referent.value === undefined && !isFlag) this.missing(inner, path);
    if (typeof referent.value !== "string" || isFlag || this.context.source.isQuoted(path)) return referent;
    return { ...referent, value: plainScalar(referent.value) };
  }

  private refer(inner: string, path: Path): Referent | undefined {
    const match = INNER.exec(inner);
    if (match === null) {
      this.problem(path, `'\${${inner}}' is neither \${NAME}, \${NAME:-default} nor \${flag:name}`);
      return undefined;
    }
    const [, flag, name, fallback] = match;
    const found = flag === undefined ? this.variable(name!, path) : this.setting(name!, path);
    if (found === undefined || found.value !== undefined || fallback === undefined) return found;
    return this.written(fallback, path);
  }

  private variable(name: string, path: Path): Referent {
    const value = this.context.environment[name];
    return { value, origin: { kind: "environment", where: `${name} (${this.context.source.where(path)})` } };
  }

  private setting(name: string, path: Path): Referent | undefined {
    const { settings } = this.context;
    if (settings === undefined) {
      this.problem(
        path,
        `'\${flag:${name}}' cannot stand in a setting, which the flag of its name replaces anyway`,
      );
      return undefined;
    }
    const setting = settings.get(name);
    if (setting === undefined) {
      const guess = closest(name, settings.keys());
      this.problem(
        path,
        `there is no flag '${name}'${guess === undefined ? "" : `; did you mean '${guess}'?`}`,
      );
      return undefined;
    }
    return setting;
  }

  private missing(inner: string, path: Path): void {
    const flag = inner.startsWith("flag:");
    const what = flag ? `--${inner.slice("flag:".length)} is not set` : `the variable ${inner} is not set`;
    this.problem(path, `${what}; set it, or write \${${inner}:-default}`);
  }

  private problem(path: Path, text: string): void {
    this.problems.push(`${this.context.source.where(path)}: ${text}`);
  }
}

/** An unquoted text is interpreted as YAML would. */
function plainScalar(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text) && Number.isFinite(Number(text))) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}
