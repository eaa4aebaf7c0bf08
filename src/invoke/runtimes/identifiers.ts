/** The runtime identifiers of Lambda's API and what Lambent does with each. */

/** Node.js: major version → the exact version that is fetched. Newest of each line that the package family carries. */
export const NODE_VERSIONS: Readonly<Record<string, string>> = {
  "nodejs20.x": "20.20.2",
  "nodejs22.x": "22.23.3",
  "nodejs24.x": "24.21.0",
  "nodejs26.x": "26.10.0",
};

/** Identifiers that run a `bootstrap` from the function's own package. */
export const PROVIDED = ["provided.al2023", "provided.al2"] as const;

/** The oldest and newest Python 3 minor versions that Lambda ever named and our bootstrap runs on. */
export const pythonMinorMin = 8;
export const pythonMinorMax = 15;
/** The oldest that AWS itself still names live. */
export const livePythonMin = 10;

/**
 * Ruby versions that our bootstrap runs on: all that Lambda has named since 3.2, and the 3.1 of Debian 12, which it never had.
 * There was no Ruby 3.5: its successor is 4.0.
 */
export const RUBY_VERSIONS = ["3.1", "3.2", "3.3", "3.4", "4.0"] as const;
/** Those that AWS itself names live. */
export const LIVE_RUBY_VERSIONS: readonly RubyVersion[] = ["3.3", "3.4", "4.0"];
export type RubyVersion = (typeof RUBY_VERSIONS)[number];

/** Java: identifier → the version of the language that it runs. */
export const JAVA_VERSIONS: Readonly<Record<string, number>> = {
  "java8.al2": 8,
  "java8.al2023": 8,
  java11: 11,
  "java11.al2023": 11,
  java17: 17,
  "java17.al2023": 17,
  java21: 21,
  java25: 25,
};

/** .NET: identifier → the major version that it runs. */
export const DOTNET_VERSIONS: Readonly<Record<string, number>> = { dotnet8: 8, dotnet10: 10 };

/** In Lambda's enumeration still, refused by AWS for new functions. */
const DEPRECATED = [
  "nodejs",
  "nodejs4.3",
  "nodejs4.3-edge",
  "nodejs6.10",
  "nodejs8.10",
  "nodejs10.x",
  "nodejs12.x",
  "nodejs14.x",
  "nodejs16.x",
  "nodejs18.x",
  "python2.7",
  "python3.6",
  "python3.7",
  "java8",
  "dotnetcore1.0",
  "dotnetcore2.0",
  "dotnetcore2.1",
  "dotnetcore3.1",
  "dotnet6",
  "go1.x",
  "ruby2.5",
  "ruby2.7",
  "provided",
];

/** Why an identifier is refused; undefined when it is not. */
export function refusal(identifier: string): string | undefined {
  if (DEPRECATED.includes(identifier))
    return (
      `The runtime parameter of ${identifier} is no longer supported for creating or updating AWS Lambda functions. ` +
      `We recommend you use a supported runtime while creating or updating functions.`
    );
  return undefined;
}

/** 11 for `python3.11`; undefined for what is no Python that Lambent could run. */
export function pythonMinor(identifier: string): number | undefined {
  const minor = Number(/^python3\.(\d{1,2})$/.exec(identifier)?.[1] ?? Number.NaN);
  return minor >= pythonMinorMin && minor <= pythonMinorMax ? minor : undefined;
}

/** `3.4` for `ruby3.4`; undefined for what is no Ruby that Lambent could run. */
export function rubyVersion(identifier: string): RubyVersion | undefined {
  return RUBY_VERSIONS.find((version) => identifier === `ruby${version}`);
}
