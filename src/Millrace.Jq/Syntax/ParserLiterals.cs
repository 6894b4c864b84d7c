using Millrace.Jq.Builtins;
using Millrace.Jq.Compilation;

namespace Millrace.Jq.Syntax;

internal sealed partial class Parser
{
    /// <summary>A string, with the format before it if there is one; or a format alone.</summary>
    private Node ParseString()
    {
        var start = _token.At.Start;
        var format = "text";
        if (_token.Kind == TokenKind.Format)
        {
            format = _token.Text;
            Advance();
            if (_token.Kind != TokenKind.Quote) return new FormatNode(format, From(start));
        }
        var parts = new List<Node>();
        while (true)
        {
            var text = _lexer.ReadText(out var interpolates);
            if (text.Length > 0) parts.Add(new LiteralNode(text, new(start, start)));
            if (!interpolates)
            {
                // The token ends with the closing quote, which the lexer has read as text.
                _token = _token with { At = new(_token.At.Start, _lexer.Position) };
                break;
            }
            Advance();
            var query = ParseQuery();
            if (!_token.Is(")")) throw Unexpected("QQSTRING_INTERP_END");
            parts.Add(new TemplateNode(format, [query], query.At));
        }
        Advance();
        if (parts.Count == 0) return new LiteralNode("", From(start));
        return parts is [LiteralNode only] ? new LiteralNode(only.Value, From(start)) : new TemplateNode(format, parts, From(start));
    }

    private ObjectNode ParseObject()
    {
        Enter();
        var start = _token.At.Start;
        var entries = new List<(Node, Node)>();
        Advance();
        while (!_token.Is("}"))
        {
            entries.Add(ParseEntry());
            if (!_token.Is(",")) break;
            Advance();
        }
        ExpectEntryEnd();
        _depth--;
        return new ObjectNode(entries, From(start));
    }

    private void ExpectEntryEnd()
    {
        if (_token.Kind == TokenKind.End) throw Unexpected(null);
        ExpectSymbol("}");
    }

    private (Node Key, Node Value) ParseEntry()
    {
        var token = _token;
        switch (token.Kind)
        {
            case TokenKind.Binding:
                Advance();
                Node read = token.Text == "__loc__" ? Location(token.At) : new VariableNode(token.Text, token.At);
                return _token.Is(":") ? (read, ParseEntryValue()) : (new LiteralNode(token.Text, token.At), read);
            case TokenKind.Identifier:
            case TokenKind.Keyword:
                Advance();
                return WithValue(new LiteralNode(token.Text, token.At));
            case TokenKind.Number:
                return RefuseBareKey();
            case TokenKind.Quote:
            case TokenKind.Format:
                return WithValue(ParseString());
            case TokenKind.Symbol when token.Text == "(":
                Advance();
                var key = CheckKey(ParseQuery());
                ExpectSymbol(")");
                if (!_token.Is(":")) throw Unexpected("':'");
                return (key, ParseEntryValue());
            default:
                throw Unexpected(null);
        }
    }

    private (Node Key, Node Value) WithValue(Node key) =>
        _token.Is(":") ? (key, ParseEntryValue()) : (key, new IndexNode(new IdentityNode(key.At), key, false, key.At));

    private (Node Key, Node Value) RefuseBareKey()
    {
        var key = ParseOperators();
        if (_token.Is(":")) throw new SyntaxError("May need parentheses around object key expression", key.At);
        throw Unexpected(null);
    }

    /// <summary>A value takes operators and pipes, but a comma ends it.</summary>
    private Node ParseEntryValue()
    {
        Enter();
        Advance();
        var start = _token.At.Start;
        var value = ParseOperators();
        if (_token.Is("|")) value = new PipeNode(value, ParseEntryValue(), From(start));
        _depth--;
        return value;
    }

    private static Node CheckKey(Node key)
    {
        if (Folding.Constant(key) is { } constant && !constant.IsString)
            throw new SyntaxError($"Cannot use {Describe.Shown(constant)} as object key", key.At);
        return key;
    }

    private void ParseModuleHead()
    {
        var keyword = _token;
        Advance();
        if (keyword.Text != "module")
        {
            var path = ParseString();
            if (path is not LiteralNode) throw new SyntaxError("Import path must be constant", path.At);
            if (_token.Is("as"))
            {
                Advance();
                Advance();
            }
        }
        if (!_token.Is(";"))
        {
            var start = _token.At.Start;
            var metadata = ParseQuery();
            var constant = Folding.Constant(metadata) ?? throw new SyntaxError("Module metadata must be constant", From(start));
            if (!constant.IsObject) throw new SyntaxError("Module metadata must be an object", From(start));
        }
        throw new SyntaxError($"Modules are not supported: '{keyword.Text}' needs files", keyword.At);
    }
}
