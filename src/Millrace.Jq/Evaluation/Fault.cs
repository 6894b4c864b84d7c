using System.Text;
using Millrace.Jq.Builtins;

namespace Millrace.Jq.Evaluation;

/// <summary>Errors as values; the texts are jq 1.8's.</summary>
internal static class Fault
{
    public static Json Of(string message) => Signal.Error(message);

    public static Json Type(Json bad, string message) => Of($"{Describe.Shown(bad)} {message}");

    public static Json Types(Json left, Json right, string message) => Of($"{Describe.Shown(left)} and {Describe.Shown(right)} {message}");

    public static JqException Uncaught(Json error) =>
        new(error, error.StringOrNull ?? $"(not a string): {JsonText.ToText(error)}");
}
