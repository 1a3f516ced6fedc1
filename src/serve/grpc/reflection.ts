/** What reflection tells of the protos. https://github.com/grpc/grpc/blob/master/doc/server-reflection.md */

import type * as loaderModule from "@grpc/proto-loader";

interface MessageDescriptor {
  name: string;
  field?: { name: string; typeName?: string }[];
  nestedType?: MessageDescriptor[];
  options?: { mapEntry?: boolean };
}

/**
 * The protos as reflection shows them. protobufjs calls the entry of `map<> parameters` "Parameters" where protoc says
 * "ParametersEntry", and readers of descriptors that hold to the specification refuse the file.
 */
export function withMapEntries(
  loader: typeof loaderModule,
  protos: loaderModule.PackageDefinition,
): loaderModule.PackageDefinition {
  const own = loader.loadSync("google/protobuf/descriptor.proto");
  const { serialize, deserialize } = own["google.protobuf.FileDescriptorProto"] as loaderModule.MessageTypeDefinition<
    object,
    { messageType?: MessageDescriptor[] }
  >; // a message of that proto
  const fix = (message: MessageDescriptor): void => {
    for (const entry of message.nestedType ?? []) {
      fix(entry);
      if (entry.options?.mapEntry !== true) continue;
      for (const field of message.field ?? []) if (field.typeName === entry.name) field.typeName += "Entry";
      entry.name += "Entry";
    }
  };
  const fixed = (bytes: Buffer): Buffer => {
    const file = deserialize(bytes);
    file.messageType?.forEach(fix);
    return serialize(file);
  };
  return Object.fromEntries(
    Object.entries(protos).map(([name, entry]) => [
      name,
      "fileDescriptorProtos" in entry && Array.isArray(entry.fileDescriptorProtos)
        ? { ...entry, fileDescriptorProtos: entry.fileDescriptorProtos.map(fixed) }
        : entry,
    ]),
  ) as loaderModule.PackageDefinition;
}
