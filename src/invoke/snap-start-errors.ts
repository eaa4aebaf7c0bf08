/** What keeps a function with SnapStart from being initialized or restored, in AWS's words. */

/** The init phase or the snapshot of a version failed. */
export class SnapshotFailed extends Error {
  /** A StateReasonCode of Lambda's API. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SnapshotFailed";
    this.code = code;
  }
}

/** An after-restore hook failed, or the process ended. */
export class SnapStartFailed extends Error {
  constructor(
    message = "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.",
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "SnapStartFailed";
  }
}

/** The after-restore hooks took too long. */
export class SnapStartTimedOut extends Error {
  constructor() {
    super("Lambda couldn't restore the snapshot within the timeout limit.");
    this.name = "SnapStartTimedOut";
  }
}
