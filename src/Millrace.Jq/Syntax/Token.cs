namespace Millrace.Jq.Syntax;

internal enum TokenKind { End, Invalid, Identifier, Keyword, Field, Binding, Number, Format, Quote, Symbol }

/// <param name="Text">The name without its mark for identifiers, fields, bindings and formats; the text itself for the others.</param>
internal readonly record struct Token(TokenKind Kind, string Text, Json Value, Span At)
{
    public bool Is(string symbol) => Kind is TokenKind.Symbol or TokenKind.Keyword && Text == symbol;

    /// <summary>The token's name in jq's syntax errors.</summary>
    public string Describe() => Kind switch
    {
        TokenKind.End => "end of file",
        TokenKind.Invalid => "INVALID_CHARACTER",
        TokenKind.Identifier => "IDENT",
        TokenKind.Field => "FIELD",
        TokenKind.Binding => "BINDING",
        TokenKind.Number => "LITERAL",
        TokenKind.Format => "FORMAT",
        TokenKind.Quote => "QQSTRING_START",
        TokenKind.Keyword => Text,
        _ => Text.Length == 1 ? $"'{Text}'" : Text,
    };
}
