/** Makes a process that was booted before it was known for which function one of that function's. */

/** Nothing of what this process was started with is left but what the function's has too. */
export function become({ workingDirectory, environment }) {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  for (const [name, value] of Object.entries(environment))
    if (process.env[name] !== value) process.env[name] = value;
  // Entered anew: the function's code was mounted over what was there.
  process.chdir(workingDirectory);
}
