import {
  type CommandInfo,
  type Environment_Variable,
  type Secret,
  Secret_Type,
  Environment_Variable_Type as VariableType,
} from "../../proto/gen/mesos/v1/mesos.js";

/** What is wrong with a command's environment variables. Source: src/common/validation.cpp. */
export function validateCommand(command: CommandInfo): string | undefined {
  for (const variable of command.environment?.variables ?? []) {
    const problem = validateVariable(variable);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function validateVariable(variable: Environment_Variable): string | undefined {
  const name = `Environment variable '${variable.name ?? ""}'`;
  switch (variable.type ?? VariableType.VALUE) {
    case VariableType.SECRET: {
      if (variable.secret === undefined) return `${name} of type 'SECRET' must have a secret set`;
      if (variable.value !== undefined) return `${name} of type 'SECRET' must not have a value set`;
      const problem = validateSecret(variable.secret);
      if (problem !== undefined) return `${name} specifies an invalid secret: ${problem}`;
      return variable.secret.value?.data?.includes(0)
        ? `${name} specifies a secret containing null bytes, which is not allowed in the environment`
        : undefined;
    }
    case VariableType.UNKNOWN:
      return "Environment variable of type 'UNKNOWN' is not allowed";
    default:
      if (variable.value === undefined) return `${name} of type 'VALUE' must have a value set`;
      return variable.secret === undefined ? undefined : `${name} of type 'VALUE' must not have a secret set`;
  }
}

function validateSecret(secret: Secret): string | undefined {
  switch (secret.type) {
    case Secret_Type.REFERENCE:
      if (secret.reference === undefined)
        return "Secret of type REFERENCE must have the 'reference' field set";
      return secret.value === undefined
        ? undefined
        : `Secret '${secret.reference.name ?? ""}' of type REFERENCE must not have the 'value' field set`;
    case Secret_Type.VALUE:
      if (secret.value === undefined) return "Secret of type VALUE must have the 'value' field set";
      return secret.reference === undefined
        ? undefined
        : "Secret of type VALUE must not have the 'reference' field set";
    default:
      return undefined;
  }
}
