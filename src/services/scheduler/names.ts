/** ARNs of schedules and their groups. */

export const DEFAULT_GROUP = "default";

/** Whose it is. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

export function scheduleArn({ account, region }: Place, group: string, name: string): string {
  return `arn:aws:scheduler:${region}:${account}:schedule/${group}/${name}`;
}

export function groupArn({ account, region }: Place, name: string): string {
  return `arn:aws:scheduler:${region}:${account}:schedule-group/${name}`;
}

/** The group's name in an ARN; undefined where it names none of this place. */
export function groupOfArn(arn: string, place: Place): string | undefined {
  const prefix = groupArn(place, "");
  return arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;
}
