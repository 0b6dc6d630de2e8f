import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** The descriptors of proto files, found by file name or by the full name of anything that they define. */
export class Descriptors {
  private readonly files = new Map<string, FileDescriptorProto>();
  private readonly fileOfSymbol = new Map<string, string>();

  /** @param image an encoded google.protobuf.FileDescriptorSet */
  constructor(image: Uint8Array) {
    for (const file of fromBinary(FileDescriptorSetSchema, image).file) {
      this.files.set(file.name, file);
      for (const symbol of symbolsOf(file)) this.fileOfSymbol.set(symbol, file.name);
    }
  }

  /** The encoded descriptors of the file and of all that it imports, directly or not; undefined when there is no such file. */
  file(name: string): Buffer[] | undefined {
    if (!this.files.has(name)) return undefined;
    const wanted = new Set([name]);
    for (const next of wanted)
      for (const dependency of this.files.get(next)?.dependency ?? []) wanted.add(dependency);
    return [...wanted]
      .map((each) => this.files.get(each))
      .filter((file) => file !== undefined)
      .map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  }

  fileContaining(symbol: string): Buffer[] | undefined {
    const name = this.fileOfSymbol.get(symbol);
    return name === undefined ? undefined : this.file(name);
  }

  hasMessage(name: string): boolean {
    return this.fileOfSymbol.has(name);
  }
}

function* symbolsOf(file: FileDescriptorProto): Generator<string> {
  const { enumType, messageType, service } = file;
  const scope = file.package === "" ? "" : `${file.package}.`;
  for (const message of messageType) yield* symbolsOfMessage(message, scope);
  for (const { name } of enumType) yield scope + name;
  for (const { name, method } of service) {
    yield scope + name;
    for (const each of method) yield `${scope}${name}.${each.name}`;
  }
}

function* symbolsOfMessage(message: DescriptorProto, scope: string): Generator<string> {
  const name = scope + message.name;
  yield name;
  for (const field of message.field) yield `${name}.${field.name}`;
  for (const nested of message.nestedType) yield* symbolsOfMessage(nested, `${name}.`);
  for (const { name: nested } of message.enumType) yield `${name}.${nested}`;
}
