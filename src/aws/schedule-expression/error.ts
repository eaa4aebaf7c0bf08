/** What is wrong with a schedule expression, in a sentence. */
export class ScheduleExpressionError extends Error {
  override readonly name = "ScheduleExpressionError";
}
