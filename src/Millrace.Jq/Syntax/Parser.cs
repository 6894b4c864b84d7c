namespace Millrace.Jq.Syntax;

/// <summary>
/// Reads a filter (jq 1.8, src/parser.y): queries here (pipes, commas, bindings, definitions), operators in
/// <see cref="ParseOperators"/>, terms in the file beside it.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Nesting of a filter's text; it also bounds the stack that compiling and evaluating take.</summary>
    private const int DepthMax = 600;

    private readonly string _source;
    private readonly Lexer _lexer;
    private Token _token;
    private int _depth;
    private int _end;

    private Parser(string source)
    {
        _source = source;
        _lexer = new Lexer(source);
        _token = _lexer.Next();
    }

    public static Node ParseFilter(string source)
    {
        var parser = new Parser(source);
        parser.RefuseModules();
        var definitions = new List<Definition>();
        while (parser._token.Is("def")) definitions.Add(parser.ParseDefinition());
        // A text of definitions alone, or an empty one, is the identity.
        var body = parser._token.Kind == TokenKind.End ? new IdentityNode(parser._token.At) : parser.ParseQuery();
        if (parser._token.Kind != TokenKind.End) throw parser.Unexpected("end of file");
        for (var i = definitions.Count - 1; i >= 0; i--) body = new DefinitionNode(definitions[i], body, body.At);
        return body;
    }

    /// <summary>Reads a text of definitions only.</summary>
    public static List<Definition> ParseDefinitions(string source)
    {
        var parser = new Parser(source);
        var definitions = new List<Definition>();
        while (parser._token.Is("def")) definitions.Add(parser.ParseDefinition());
        if (parser._token.Kind != TokenKind.End) throw parser.Unexpected("end of file");
        return definitions;
    }

    private void RefuseModules()
    {
        if (_token.Is("module") || _token.Is("import") || _token.Is("include"))
            ParseModuleHead();
    }

    private Node ParseQuery()
    {
        Enter();
        var start = _token.At.Start;
        if (_token.Is("def"))
        {
            var definition = ParseDefinition();
            var rest = ParseQuery();
            _depth--;
            return new DefinitionNode(definition, rest, From(start));
        }
        var left = ParseComma();
        if (_token.Is("|"))
        {
            Advance();
            var right = ParseQuery();
            left = new PipeNode(left, right, From(start));
        }
        _depth--;
        return left;
    }

    private Node ParseComma()
    {
        var start = _token.At.Start;
        var first = ParseBinding();
        if (!_token.Is(",")) return first;
        var items = new List<Node> { first };
        while (_token.Is(","))
        {
            Advance();
            items.Add(_token.Is("def") ? ParseQuery() : ParseBinding());
        }
        return new CommaNode(items, From(start));
    }

    /// <summary>An operand of a comma: <c>label $x | …</c> and <c>e as $x | …</c> reach as far as they can.</summary>
    private Node ParseBinding()
    {
        var start = _token.At.Start;
        if (_token.Is("label"))
        {
            Advance();
            var name = Expect(TokenKind.Binding, "BINDING").Text;
            ExpectSymbol("|");
            var body = ParseQuery();
            return new LabelNode(name, body, From(start));
        }
        var source = ParseOperators();
        if (!_token.Is("as")) return source;
        Advance();
        var patterns = ParsePatterns();
        ExpectSymbol("|");
        return new BindNode(source, patterns, ParseQuery(), From(start));
    }

    private Definition ParseDefinition()
    {
        Enter();
        Advance();
        var name = _token.Kind == TokenKind.Keyword ? _token.Text : Expect(TokenKind.Identifier, "IDENT", keep: true).Text;
        Advance();
        var parameters = new List<Parameter>();
        if (_token.Is("("))
        {
            do
            {
                Advance();
                if (_token.Kind is not (TokenKind.Binding or TokenKind.Identifier or TokenKind.Keyword)) throw Unexpected("BINDING or IDENT");
                parameters.Add(new Parameter(_token.Text, _token.Kind == TokenKind.Binding));
                Advance();
            }
            while (_token.Is(";"));
            ExpectSymbol(")");
        }
        ExpectSymbol(":");
        var body = ParseQuery();
        ExpectSymbol(";");
        _depth--;
        return new Definition(name, parameters, body);
    }

    private List<Pattern> ParsePatterns()
    {
        var patterns = new List<Pattern> { ParsePattern() };
        while (_token.Is("?//"))
        {
            Advance();
            patterns.Add(ParsePattern());
        }
        return patterns;
    }

    private Pattern ParsePattern()
    {
        Enter();
        Pattern pattern;
        if (_token.Kind == TokenKind.Binding)
        {
            pattern = new VariablePattern(new Variable(_token.Text));
            Advance();
        }
        else if (_token.Is("["))
        {
            var items = new List<Pattern>();
            do
            {
                Advance();
                items.Add(ParsePattern());
            }
            while (_token.Is(","));
            ExpectSymbol("]");
            pattern = new ArrayPattern(items);
        }
        else if (_token.Is("{"))
        {
            pattern = ParseObjectPattern();
        }
        else
        {
            throw Unexpected("BINDING or '[' or '{'");
        }
        _depth--;
        return pattern;
    }

    private ObjectPattern ParseObjectPattern()
    {
        var entries = new List<(Node, Variable?, Pattern?)>();
        do
        {
            Advance();
            var at = _token.At;
            if (_token.Kind == TokenKind.Binding)
            {
                var name = _token.Text;
                Advance();
                Pattern? value = null;
                if (_token.Is(":"))
                {
                    Advance();
                    value = ParsePattern();
                }
                entries.Add((new LiteralNode(name, at), new Variable(name), value));
                continue;
            }
            Node key;
            if (_token.Kind is TokenKind.Identifier or TokenKind.Keyword)
            {
                key = new LiteralNode(_token.Text, at);
                Advance();
            }
            else if (_token.Kind is TokenKind.Quote or TokenKind.Format)
            {
                key = ParseString();
            }
            else if (_token.Is("("))
            {
                Advance();
                key = CheckKey(ParseQuery());
                ExpectSymbol(")");
            }
            else
            {
                throw Unexpected(null);
            }
            ExpectSymbol(":");
            entries.Add((key, null, ParsePattern()));
        }
        while (_token.Is(","));
        ExpectSymbol("}");
        return new ObjectPattern(entries);
    }

    private void Advance()
    {
        _end = _token.At.End;
        _token = _lexer.Next();
    }

    private Span From(int start) => new(start, Math.Max(_end, start));

    private Token Expect(TokenKind kind, string name, bool keep = false)
    {
        if (_token.Kind != kind) throw Unexpected(name);
        var token = _token;
        if (!keep) Advance();
        return token;
    }

    private void ExpectSymbol(string symbol)
    {
        if (!_token.Is(symbol)) throw Unexpected(symbol.Length == 1 ? $"'{symbol}'" : symbol);
        Advance();
    }

    private SyntaxError Unexpected(string? expected)
    {
        var at = _token.At;
        // An unexpected end is shown at the last token of the text, as jq does.
        if (_token.Kind == TokenKind.End) at = new(Math.Max(0, _end - 1), Math.Max(0, _end));
        return new SyntaxError($"syntax error, unexpected {_token.Describe()}{(expected is null ? "" : $", expecting {expected}")}", at);
    }

    private void Enter()
    {
        if (++_depth > DepthMax) throw new SyntaxError($"The filter is nested deeper than {DepthMax} levels", _token.At);
    }
}
