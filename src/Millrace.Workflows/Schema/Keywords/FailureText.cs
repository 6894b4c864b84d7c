using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Jq;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>Builds the text of a failure only when errors are being collected.</summary>
[InterpolatedStringHandler]
internal readonly ref struct FailureText
{
    private const int ShownMax = 60;

    private readonly StringBuilder? _text;

    public FailureText(int literalLength, int formattedCount, Evaluation run, out bool enabled)
    {
        enabled = run.IsCollecting;
        _text = enabled ? new StringBuilder(literalLength + formattedCount * 8) : null;
    }

    public void AppendLiteral(string value) => _text?.Append(value);

    public void AppendFormatted<T>(T value) => _text?.Append(CultureInfo.InvariantCulture, $"{value}");

    /// <summary>Numbers may have any number of digits.</summary>
    public void AppendFormatted(Json value)
    {
        var text = value.ToString();
        _text?.Append(text.AsSpan(0, Math.Min(text.Length, ShownMax))).Append(text.Length > ShownMax ? "…" : "");
    }

    public override string ToString() => _text?.ToString() ?? "";
}
