using System.Text;
using Millrace.Jq;

namespace Millrace.Connectors.Http;

/// <summary>
/// Simple string expansion (RFC 6570, 3.2.2) as the language restricts it (dsl-reference.md, URI Template): the name between braces is a top-level
/// member of the input, taken verbatim; one that is absent or null gives the empty string; one that is a list or an object is an expression error.
/// The arguments have an <c>input</c> only where the document itself has a template; without it braces are kept, since what an expression gives is no template.
/// </summary>
internal static class UriTemplate
{
    private const string Operators = "+#./;?&=,!@|";

    public static string Expand(string template, Json? input, string pointer)
    {
        var open = template.IndexOf('{', StringComparison.Ordinal);
        if (open < 0 || input is not { } variables) return template;
        var text = new StringBuilder(template.Length + 16);
        var at = 0;
        for (; open >= 0; open = template.IndexOf('{', at))
        {
            var close = template.IndexOf('}', open);
            if (close < 0) throw Refusal.Configuration("URI template invalid", $"The URI template at {pointer} opens a brace at column {open + 1} that is not closed.");
            text.Append(template, at, open - at).Append(TextOf(template[(open + 1)..close], variables, pointer));
            at = close + 1;
        }
        return text.Append(template, at, template.Length - at).ToString();
    }

    private static string TextOf(string name, Json input, string pointer)
    {
        if (name.Length == 0 || Operators.Contains(name[0], StringComparison.Ordinal))
            throw Refusal.Configuration("URI template invalid", $"The URI template at {pointer} uses '{{{name}}}'; only simple string expansion such as {{petId}} is supported.");
        var value = input[name];
        if (value.IsNull) return "";
        return Arguments.TryScalarText(value, out var text)
            ? Uri.EscapeDataString(text)
            : throw Refusal.Expression("URI template invalid",
                $"The variable '{name}' of the URI template at {pointer} has to be a string, number, boolean or null, found {value.Kind.ToString().ToLowerInvariant()}.");
    }
}
