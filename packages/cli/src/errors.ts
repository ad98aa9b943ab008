import { defineErrors } from "@touchmark/core";

/** Error codes of the command line. */
export const cliErrors = defineErrors({
  CLI_COMMAND_UNKNOWN: {
    nature: "invalid",
    meaning: "The first word is no command.",
    hint: "touchmark --help lists the commands",
  },
  CLI_USAGE: {
    nature: "invalid",
    meaning: "Arguments or options do not fit the command.",
    hint: "add --help to see its usage",
  },
  CLI_FILE_UNREADABLE: { nature: "invalid", meaning: "A file that the command line names cannot be read." },
  CLI_FILE_UNWRITABLE: { nature: "invalid", meaning: "A file that the command line names cannot be written." },
  CLI_FILE_EXISTS: { nature: "invalid", meaning: "A file or directory that would be written is there already." },
});
