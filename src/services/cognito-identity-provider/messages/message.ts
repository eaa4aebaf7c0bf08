/** What a message to a user says, and to where it goes. */
import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import type { UserPools } from "../deps.ts";
import type { Pool } from "../store/pools.ts";
import { callTrigger, eventAttributes, textOf } from "../triggers/call.ts";
import type { Asking } from "../triggers/call.ts";
import type { User } from "../users/user.ts";

export type MessageSource =
  | "CustomMessage_SignUp"
  | "CustomMessage_Authentication"
  | "CustomMessage_AdminCreateUser"
  | "CustomMessage_ResendCode"
  | "CustomMessage_ForgotPassword"
  | "CustomMessage_UpdateUserAttribute"
  | "CustomMessage_VerifyUserAttribute";

/** Where a message goes: an attribute of the user, and its value. */
export interface Destination {
  readonly attribute: "email" | "phone_number";
  readonly value: string;
}

/** A message, whole. */
export interface Message {
  readonly medium: "EMAIL" | "SMS";
  readonly destination: string;
  readonly attribute: string;
  readonly username: string;
  readonly reason: string;
  readonly subject?: string;
  readonly message: string;
  /** The code, or the temporary password, that it tells. */
  readonly code: string;
  readonly replyTo?: string;
  /** That confirms by itself, in the place of the code. */
  readonly link?: string;
}

/** What stands in a template for the code, and for the user's name. */
const CODE = "{####}";
const USERNAME = "{username}";
/** What stands for a link, with its text. */
const LINK = /\{##(.+?)##\}/g;

interface Texts {
  readonly subject: string;
  readonly email: string;
  readonly sms: string;
}

/** The pool's own texts, or AWS's. */
function templates({ settings }: Pool, source: MessageSource, hasLink: boolean): Texts {
  if (source === "CustomMessage_AdminCreateUser") {
    const { InviteMessageTemplate: own } = settings.AdminCreateUserConfig ?? {};
    const invitation = `Your username is ${USERNAME} and temporary password is ${CODE}.`;
    return {
      subject: own?.EmailSubject ?? "Your temporary password",
      email: own?.EmailMessage ?? invitation,
      sms: own?.SMSMessage ?? invitation,
    };
  }
  const code = `Your verification code is ${CODE}.`;
  const { EmailMessageByLink, EmailSubjectByLink } = settings.VerificationMessageTemplate ?? {};
  if (hasLink)
    return {
      subject: EmailSubjectByLink ?? "Your verification link",
      email:
        EmailMessageByLink ?? "Please click the link below to verify your email address. {##Verify Email##}",
      sms: code,
    };
  return {
    subject: settings.EmailVerificationSubject ?? "Your verification code",
    email: settings.EmailVerificationMessage ?? code,
    sms:
      source === "CustomMessage_Authentication"
        ? (settings.SmsAuthenticationMessage ?? `Your authentication code is ${CODE}. `)
        : (settings.SmsVerificationMessage ?? code),
  };
}

/**
 * The message that a user is to get: the pool's, or what its CustomMessage trigger makes of it. The trigger is not told the code, only what
 * stands for it.
 * @param name How the user is called in it.
 */
export async function composeMessage(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  about: {
    readonly source: MessageSource;
    readonly to: Destination;
    readonly code: string;
    readonly name: string;
    readonly link?: string | undefined;
  },
): Promise<Message> {
  const { source, to, code, name, link } = about;
  const isInvitation = source === "CustomMessage_AdminCreateUser";
  const response = await callTrigger(userPools, pool, asking, {
    trigger: "CustomMessage",
    source,
    username: user.username,
    request: {
      userAttributes: eventAttributes(pool, user),
      codeParameter: CODE,
      linkParameter: "{##Click Here##}",
      usernameParameter: isInvitation ? USERNAME : null,
      clientMetadata: asking.clientMetadata,
    },
    response: { smsMessage: null, emailMessage: null, emailSubject: null },
  });
  const texts = templates(pool, source, link !== undefined);
  const filled = (text: string) => {
    const told = text.replaceAll(CODE, () => code).replaceAll(USERNAME, () => name);
    return link === undefined ? told : told.replace(LINK, (_, shown: string) => linkOf(link, shown));
  };
  const common = {
    destination: to.value,
    attribute: to.attribute,
    username: user.username,
    reason: source,
    code,
  };
  if (to.attribute === "phone_number")
    return { ...common, medium: "SMS", message: filled(textOf(response, "smsMessage") ?? texts.sms) };
  const replyTo = pool.settings.EmailConfiguration?.ReplyToEmailAddress;
  return {
    ...common,
    medium: "EMAIL",
    subject: filled(textOf(response, "emailSubject") ?? texts.subject),
    message: filled(textOf(response, "emailMessage") ?? texts.email),
    ...(replyTo !== undefined && { replyTo }),
    ...(link !== undefined && { link }),
  };
}

function linkOf(href: string, shown: string): string {
  return `<a href="${href.replaceAll("&", "&amp;")}">${shown}</a>`;
}

/** How answers tell where a message went: `t***@e***`, `+*******1234`. */
export function deliveryDetails({ attribute, value }: Destination): CodeDeliveryDetailsType {
  if (attribute === "phone_number")
    return {
      Destination: `+${"*".repeat(Math.max(0, value.length - 5))}${value.slice(-4)}`,
      DeliveryMedium: "SMS",
      AttributeName: attribute,
    };
  const [local = "", host = ""] = value.split("@");
  return {
    Destination: `${local.slice(0, 1)}***@${host.slice(0, 1)}***`,
    DeliveryMedium: "EMAIL",
    AttributeName: attribute,
  };
}
