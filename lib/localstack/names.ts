const lengthMax = 64;

/**
 * What a function is called in an emulator: its logical id in the template, which both who deploys and who invokes know. Throws a RangeError
 * for one that Lambda would not take.
 */
export function emulatedName(logicalId: string): string {
  const name = `stampede-${logicalId}`;
  if (name.length > lengthMax) throw new RangeError(`${name} has over ${lengthMax} characters`);
  return name;
}
