using Millrace.Jq.Text;

namespace Millrace.Jq.Syntax;

internal sealed partial class Parser
{
    private static readonly Dictionary<string, (int Level, BinaryOperator Operator)> Binary = new(StringComparer.Ordinal)
    {
        ["=="] = (5, BinaryOperator.Equal),
        ["!="] = (5, BinaryOperator.NotEqual),
        ["<"] = (5, BinaryOperator.Less),
        ["<="] = (5, BinaryOperator.LessOrEqual),
        [">"] = (5, BinaryOperator.Greater),
        [">="] = (5, BinaryOperator.GreaterOrEqual),
        ["+"] = (6, BinaryOperator.Add),
        ["-"] = (6, BinaryOperator.Subtract),
        ["*"] = (7, BinaryOperator.Multiply),
        ["/"] = (7, BinaryOperator.Divide),
        ["%"] = (7, BinaryOperator.Remainder),
    };

    private static readonly Dictionary<string, (Update Kind, BinaryOperator Operator)> Updates = new(StringComparer.Ordinal)
    {
        ["="] = (Update.Set, default),
        ["|="] = (Update.Modify, default),
        ["//="] = (Update.Alternative, default),
        ["+="] = (Update.Arithmetic, BinaryOperator.Add),
        ["-="] = (Update.Arithmetic, BinaryOperator.Subtract),
        ["*="] = (Update.Arithmetic, BinaryOperator.Multiply),
        ["/="] = (Update.Arithmetic, BinaryOperator.Divide),
        ["%="] = (Update.Arithmetic, BinaryOperator.Remainder),
    };

    /// <summary>From loosest to tightest: <c>//</c> (right), assignments (none), <c>or</c>, <c>and</c>, comparisons (none), sums, products.</summary>
    private Node ParseOperators(int level = 1)
    {
        if (level == 8) return ParseSigned();
        var start = _token.At.Start;
        var left = ParseOperators(level + 1);
        var chain = 0;
        while (Operate(level, left, start) is { } next)
        {
            left = next;
            // A chain of one operator nests to the left, so its length counts as depth.
            if (++chain + _depth > DepthMax) throw TooDeep();
            if (level is 2 or 5 && Continues(level)) throw Unexpected(null);
        }
        return left;
    }

    private bool Continues(int level) =>
        _token.Kind == TokenKind.Symbol && (level == 2 ? Updates.ContainsKey(_token.Text) : Binary.TryGetValue(_token.Text, out var op) && op.Level == 5);

    private Node? Operate(int level, Node left, int start)
    {
        if (_token.Kind is not (TokenKind.Symbol or TokenKind.Keyword)) return null;
        var symbol = _token.Text;
        switch (level)
        {
            case 1 when symbol == "//":
                Enter();
                Advance();
                var alternative = ParseOperators(1);
                _depth--;
                return new AlternativeNode(left, alternative, From(start));
            case 2 when Updates.TryGetValue(symbol, out var update):
                Advance();
                // Tighter than `//`: `.a = .b // 1` is `(.a = .b) // 1`.
                var value = ParseOperators(3);
                return new UpdateNode(update.Kind, update.Operator, left, value, From(start));
            case 3 when symbol == "or":
            case 4 when symbol == "and":
                Advance();
                var right = ParseOperators(level + 1);
                return new LogicNode(level == 4, left, right, From(start));
            default:
                if (!Binary.TryGetValue(symbol, out var binary) || binary.Level != level) return null;
                Advance();
                var operand = ParseOperators(level + 1);
                return new BinaryNode(binary.Operator, left, operand, From(start));
        }
    }

    private Node ParseSigned() => DeepStack.IsShort() ? DeepStack.Run(ParseSignedHere) : ParseSignedHere();

    private Node ParseSignedHere()
    {
        var start = _token.At.Start;
        if (!_token.Is("-")) return ParsePostfix();
        Enter();
        Advance();
        var body = ParseSigned();
        _depth--;
        return new NegateNode(body, From(start));
    }

    private Node ParsePostfix()
    {
        var start = _token.At.Start;
        var term = ParseTerm();
        var chain = 0;
        while (ParseSuffix(term, start) is { } next)
        {
            term = next;
            if (++chain + _depth > DepthMax) throw TooDeep();
        }
        return term;
    }

    private Node? ParseSuffix(Node term, int start)
    {
        if (_token.Kind == TokenKind.Field)
        {
            var key = new LiteralNode(_token.Text, _token.At);
            Advance();
            return new IndexNode(term, key, TakeOptional(), From(start));
        }
        if (_token.Kind != TokenKind.Symbol) return null;
        switch (_token.Text)
        {
            case "?":
                Advance();
                return new TryNode(term, null, From(start));
            case "?//" or "?//=":
                SplitOptional();
                return new TryNode(term, null, From(start));
            case "[":
                return ParseBrackets(term, start);
            case ".":
                Advance();
                return ParseAfterDot(term, start);
            default:
                return null;
        }
    }

    private Node ParseAfterDot(Node term, int start)
    {
        if (_token.Is("[")) return ParseBrackets(term, start);
        if (_token.Kind is not (TokenKind.Quote or TokenKind.Format)) throw Unexpected(null);
        var key = ParseString();
        return new IndexNode(term, key, TakeOptional(), From(start));
    }

    private Node ParseBrackets(Node term, int start)
    {
        Advance();
        if (_token.Is("]"))
        {
            Advance();
            return new IterateNode(term, TakeOptional(), From(start));
        }
        if (_token.Is(":"))
        {
            Advance();
            var upto = ParseQuery();
            ExpectSymbol("]");
            return new SliceNode(term, null, upto, TakeOptional(), From(start));
        }
        var key = ParseQuery();
        if (!_token.Is(":"))
        {
            ExpectSymbol("]");
            return new IndexNode(term, key, TakeOptional(), From(start));
        }
        Advance();
        var end = _token.Is("]") ? null : ParseQuery();
        ExpectSymbol("]");
        return new SliceNode(term, key, end, TakeOptional(), From(start));
    }

    private bool TakeOptional()
    {
        if (_token.Is("?")) Advance();
        else if (_token.Is("?//") || _token.Is("?//=")) SplitOptional();
        else return false;
        return true;
    }

    /// <summary>Outside patterns <c>?//</c> is an optional followed by an alternative.</summary>
    private void SplitOptional()
    {
        _end = _token.At.Start + 1;
        _token = new Token(TokenKind.Symbol, _token.Text[1..], default, new(_end, _token.At.End));
    }

    private Node ParseTerm()
    {
        var token = _token;
        switch (token.Kind)
        {
            case TokenKind.Number:
                Advance();
                return new LiteralNode(token.Value, token.At);
            case TokenKind.Field:
                Advance();
                return new IndexNode(new IdentityNode(token.At), new LiteralNode(token.Text, token.At), TakeOptional(), From(token.At.Start));
            case TokenKind.Quote:
            case TokenKind.Format:
                return ParseString();
            case TokenKind.Binding:
                Advance();
                return token.Text == "__loc__" ? Location(token.At) : new VariableNode(token.Text, token.At);
            case TokenKind.Identifier:
                return ParseCall();
            case TokenKind.Keyword:
                return ParseKeyword();
            case TokenKind.Symbol:
                return ParseSymbol();
            default:
                throw Unexpected(token.Kind == TokenKind.Invalid || token.Kind == TokenKind.End ? null : "end of file");
        }
    }

    private Node ParseSymbol()
    {
        var start = _token.At.Start;
        switch (_token.Text)
        {
            case ".":
                Advance();
                if (_token.Kind is TokenKind.Quote or TokenKind.Format || _token.Is("[")) return ParseAfterDot(new IdentityNode(new(start, start + 1)), start);
                return new IdentityNode(new(start, start + 1));
            case "..":
                Advance();
                return new CallNode("recurse", [], From(start));
            case "(":
                Advance();
                var inner = ParseQuery();
                ExpectSymbol(")");
                return inner;
            case "[":
                Advance();
                var body = _token.Is("]") ? null : ParseQuery();
                ExpectSymbol("]");
                return new ArrayNode(body, From(start));
            case "{":
                return ParseObject();
            default:
                // jq's grammar reports a stray closing bracket as a character it does not know.
                if (_token.Text is "}" or ")" or "]") _token = _token with { Kind = TokenKind.Invalid };
                throw Unexpected(_end == 0 ? "end of file" : null);
        }
    }

    private Node ParseCall()
    {
        var name = _token;
        Advance();
        var arguments = new List<Node>();
        if (_token.Is("("))
        {
            do
            {
                Advance();
                arguments.Add(ParseQuery());
            }
            while (_token.Is(";"));
            ExpectSymbol(")");
        }
        else
        {
            switch (name.Text)
            {
                case "true": return new LiteralNode(true, name.At);
                case "false": return new LiteralNode(false, name.At);
                case "null": return new LiteralNode(Json.Null, name.At);
            }
        }
        return new CallNode(name.Text, arguments, name.At);
    }

    private Node ParseKeyword()
    {
        var start = _token.At.Start;
        switch (_token.Text)
        {
            case "if":
                return ParseIf();
            case "try":
                Enter();
                Advance();
                var body = ParseTryOperand();
                Node? handler = null;
                if (_token.Is("catch"))
                {
                    Advance();
                    handler = ParseTryOperand();
                }
                _depth--;
                return new TryNode(body, handler, From(start));
            case "reduce":
                return ParseReduce();
            case "foreach":
                return ParseForeach();
            case "break":
                Advance();
                if (_token.Kind != TokenKind.Binding) throw new SyntaxError("break requires a label to break to", From(start));
                var label = _token;
                Advance();
                return new BreakNode(label.Text, From(start));
            default:
                throw Unexpected(null);
        }
    }

    private Node ParseTryOperand() => _token.Is("-") || DeepStack.IsShort() ? ParseSigned() : ParsePostfix();

    private IfNode ParseIf() => DeepStack.IsShort() ? DeepStack.Run(ParseIfHere) : ParseIfHere();

    private IfNode ParseIfHere()
    {
        Enter();
        var start = _token.At.Start;
        Advance();
        var condition = ParseQuery();
        ExpectSymbol("then");
        var then = ParseQuery();
        Node? otherwise = null;
        if (_token.Is("elif"))
        {
            otherwise = ParseIf();
            _depth--;
            return new IfNode(condition, then, otherwise, From(start));
        }
        if (_token.Is("else"))
        {
            Advance();
            otherwise = ParseQuery();
        }
        ExpectSymbol("end");
        _depth--;
        return new IfNode(condition, then, otherwise, From(start));
    }

    private ReduceNode ParseReduce()
    {
        var start = _token.At.Start;
        var (source, patterns, first, update) = ParseFold();
        ExpectSymbol(")");
        return new ReduceNode(source, patterns, first, update, From(start));
    }

    private ForeachNode ParseForeach()
    {
        var start = _token.At.Start;
        var (source, patterns, first, update) = ParseFold();
        Node? extract = null;
        if (_token.Is(";"))
        {
            Advance();
            extract = ParseQuery();
        }
        ExpectSymbol(")");
        return new ForeachNode(source, patterns, first, update, extract, From(start));
    }

    /// <summary>What reduce and foreach begin with.</summary>
    private (Node Source, List<Pattern> Patterns, Node First, Node Update) ParseFold()
    {
        Advance();
        var source = ParseOperators();
        ExpectSymbol("as");
        var patterns = ParsePatterns();
        ExpectSymbol("(");
        var first = ParseQuery();
        ExpectSymbol(";");
        return (source, patterns, first, ParseQuery());
    }

    private LiteralNode Location(Span at)
    {
        var line = 1 + _source.AsSpan(0, at.Start).Count('\n');
        return new LiteralNode(Json.Object("file", "<top-level>", "line", line), at);
    }
}
