/** A message with any of its fields, as `fromPartial` of the generated codecs takes it. */
export type PartialMessage<T> = T extends Uint8Array | bigint | string | number | boolean | undefined
  ? T
  : T extends readonly (infer U)[]
    ? PartialMessage<U>[]
    : T extends object
      ? { [K in keyof T]?: PartialMessage<T[K]> }
      : T;

/** Ids are plain strings in programs and messages on the wire; either is taken. */
export type IdInput = string | { readonly value?: string | undefined };

export function idOf(id: IdInput): { value: string } {
  return { value: typeof id === "string" ? id : (id.value ?? "") };
}

/** The same bytes as the class that the generated codecs take. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
