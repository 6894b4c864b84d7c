using Millrace.Workflows.Schema.Patterns;

namespace Millrace.Workflows.Schema.Formats;

/// <summary>One value of <c>format</c> (validation §7.3).</summary>
/// <param name="Words">What an instance must be, for messages.</param>
internal sealed record Format(string Name, string Words, Func<string, bool> Test)
{
    private static readonly Dictionary<string, Format> Known = new Format[]
    {
        new("date-time", "a date and time with an offset such as 2030-01-31T12:00:00Z", Times.IsDateTime),
        new("date", "a date such as 2030-01-31", Times.IsDate),
        new("time", "a time with an offset such as 12:00:00Z", Times.IsTime),
        new("duration", "a duration such as P1DT12H", Durations.IsDuration),
        new("email", "an e-mail address", text => Emails.IsEmail(text, allowUnicode: false)),
        new("idn-email", "an e-mail address", text => Emails.IsEmail(text, allowUnicode: true)),
        new("hostname", "a host name such as www.example.com", Hostnames.IsHostname),
        new("idn-hostname", "a host name such as www.example.com", Hostnames.IsInternationalHostname),
        new("ipv4", "an IPv4 address such as 192.0.2.1", text => Addresses.IsIpv4(text)),
        new("ipv6", "an IPv6 address such as 2001:db8::1", text => Addresses.IsIpv6(text)),
        new("uri", "an absolute URI such as https://example.com/a", text => UriText.IsAbsolute(text, allowUnicode: false)),
        new("uri-reference", "a URI reference such as /a or https://example.com/a", text => UriText.IsReference(text, allowUnicode: false)),
        new("iri", "an absolute IRI such as https://example.com/a", text => UriText.IsAbsolute(text, allowUnicode: true)),
        new("iri-reference", "an IRI reference such as /a or https://example.com/a", text => UriText.IsReference(text, allowUnicode: true)),
        new("uuid", "a UUID such as 01234567-89ab-cdef-0123-456789abcdef", IsUuid),
        new("uri-template", "a URI template such as /a/{id}", UriTemplates.IsTemplate),
        new("json-pointer", "a JSON pointer such as /a/0", text => Pointers.IsPointer(text)),
        new("relative-json-pointer", "a relative JSON pointer such as 1/a", Pointers.IsRelativePointer),
        new("regex", "a regular expression of ECMA-262", IsRegex),
    }.ToDictionary(f => f.Name, StringComparer.Ordinal);

    /// <returns>Null for a name that is not known; such a format refuses nothing.</returns>
    public static Format? Find(string name) => Known.GetValueOrDefault(name);

    private static bool IsUuid(string text)
    {
        if (text.Length != 36) return false;
        for (var i = 0; i < text.Length; i++)
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i])) return false;
        return true;
    }

    private static bool IsRegex(string text)
    {
        try
        {
            EcmaTranslation.ToDotNet(text);
            return true;
        }
        catch (EcmaPatternException e)
        {
            return e.IsUnsupported;
        }
    }
}
