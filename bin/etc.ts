/** The variable that replaces `/etc`. */
export const ETC_VARIABLE = "TEPUI_ETC";

/** Where the host's configuration is; clusters that must ignore it, as in tests, use another directory. */
export const etc = (): string => process.env[ETC_VARIABLE] ?? "/etc";
