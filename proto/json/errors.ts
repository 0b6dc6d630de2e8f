// What can be wrong with a message from outside. The texts are those that Mesos's clients know, with the full field path
// where Mesos gives only the field's last name; an edge puts its own sentence before them ("Failed to convert JSON into
// Call protobuf: ...").

/** The text is not JSON. `message` is Mesos's: `syntax error at line N near: <rest of that line>`. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
}

/** The JSON does not fit the message type. */
export class JsonCodecError extends Error {
  override readonly name = "JsonCodecError";

  /**
   * @param path the field at fault, `resources[0].scalar.value`; "" for the message itself
   * @param missing for missing required fields, the paths of all of them
   */
  constructor(
    message: string,
    readonly path: string,
    readonly missing: readonly string[] = [],
  ) {
    super(message);
  }
}

/** The bytes are not a message of the type: malformed, or without required fields. */
export class WireError extends Error {
  override readonly name = "WireError";

  /** @param missing the paths of the missing required fields; empty for malformed bytes */
  constructor(
    message: string,
    readonly missing: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Mesos's words for required fields that are not there. */
export const missingText = (missing: readonly string[]): string =>
  `Missing required fields: ${missing.join(", ")}`;

/** A fault on its way up through nested readers, each of which puts its own field before the path. */
export class Fault {
  path = "";

  /** The final text is `before` + path + `after`; without a path it is `alone`. */
  constructor(
    readonly before: string,
    readonly after = "'",
    readonly alone = "Expecting a JSON object",
  ) {}

  under(segment: string): this {
    this.path =
      this.path === ""
        ? segment
        : this.path.startsWith("[")
          ? segment + this.path
          : `${segment}.${this.path}`;
    return this;
  }

  toError(): JsonCodecError {
    return new JsonCodecError(
      this.path === "" ? this.alone : this.before + this.path + this.after,
      this.path,
    );
  }
}
