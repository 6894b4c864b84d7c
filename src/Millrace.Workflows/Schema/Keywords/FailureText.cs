using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>Builds the text of a failure only when errors are being collected.</summary>
[InterpolatedStringHandler]
internal readonly ref struct FailureText
{
    private readonly StringBuilder? _text;

    public FailureText(int literalLength, int formattedCount, Evaluation run, out bool enabled)
    {
        enabled = run.IsCollecting;
        _text = enabled ? new StringBuilder(literalLength + formattedCount * 8) : null;
    }

    public void AppendLiteral(string value) => _text?.Append(value);

    public void AppendFormatted<T>(T value) => _text?.Append(CultureInfo.InvariantCulture, $"{value}");

    public override string ToString() => _text?.ToString() ?? "";
}
