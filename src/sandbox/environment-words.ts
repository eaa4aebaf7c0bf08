/** The words that follow `env -i`: a program's whole environment, then the program and its arguments. */

/** `NAME=value …` and the command, whatever the name of its program. */
export function environmentWords(
  variables: Readonly<Record<string, string>>,
  command: readonly string[],
  shell: readonly string[] = ["/bin/sh"],
): string[] {
  return [
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    // `env` would take a program with such a name for a variable.
    ...(command[0]?.includes("=") ? [...shell, "-c", 'exec "$@"', "sh"] : []),
    ...command,
  ];
}
