/** The variable that names another place for `/etc`. */
export const ETC_VARIABLE = "TEPUI_ETC";

/** What a host is configured for; clusters that stand alone on it, as in tests, name another place. */
export const etc = (): string => process.env[ETC_VARIABLE] ?? "/etc";
