using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Amqp;
using Amqp.Framing;
using Amqp.Handler;
using Amqp.Listener;
using Millrace.Tests.Servers;

namespace Millrace.Connectors.Tests.AsyncApi;

/// <summary>A broker of AMQP 1.0 that keeps what is said to a terminus: the listener of the client's library. Nothing is at the address <c>nowhere</c>, and <c>secret</c> is for others.</summary>
internal sealed class Amqp1Double : ILinkProcessor, IMessageSource, IHandler, IDisposable
{
    private readonly ContainerHost _host;
    private readonly ConcurrentQueue<Message> _messages = new();
    private readonly ConcurrentQueue<Attach> _attached = new();
    private readonly ConcurrentQueue<Detach> _detached = new();
    private readonly ConcurrentQueue<string> _containers = new();

    /// <param name="certificate">The server's, where it is reached by TLS alone and wants to know who calls by theirs.</param>
    public Amqp1Double(X509Certificate2? certificate = null)
    {
        _host = new ContainerHost([new Address("127.0.0.1", Port, null, null, "/", certificate is null ? "AMQP" : "AMQPS")], certificate);
        var listener = _host.Listeners[0];
        listener.HandlerFactory = _ => this;
        if (certificate is null) listener.SASL.EnableAnonymousMechanism = true;
        else
        {
            listener.SASL.EnableExternalMechanism = true;
            listener.SSL.ClientCertificateRequired = true;
            listener.SSL.RemoteCertificateValidationCallback = (_, shown, _, _) => (Caller = shown?.Subject) is not null;
        }
        _host.RegisterLinkProcessor(this);
        _host.Open();
    }

    public int Port { get; } = LoopbackPort.Free();

    /// <summary>Whom the last connection was made by.</summary>
    public string? Caller { get; private set; }

    public IReadOnlyList<Attach> Attached => [.. _attached];

    /// <summary>Links that were ended; one whose connection went away is none.</summary>
    public IReadOnlyList<Detach> Detached => [.. _detached];

    public IReadOnlyList<string> Containers => [.. _containers];

    public void Say(Message message) => _messages.Enqueue(message);

    void ILinkProcessor.Process(AttachContext context)
    {
        var address = context.Attach.Role ? ((Source)context.Attach.Source).Address : ((Target)context.Attach.Target).Address;
        if (address == "nowhere") context.Complete(new Error(ErrorCode.NotFound) { Description = "nothing is there" });
        else if (address == "secret") context.Complete(new Error(ErrorCode.UnauthorizedAccess));
        else context.Complete(new SourceLinkEndpoint(this, context.Link), 0);
    }

    async Task<ReceiveContext> IMessageSource.GetMessageAsync(ListenerLink link)
    {
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!link.IsClosed)
        {
            if (_messages.TryDequeue(out var message)) return new ReceiveContext(link, message);
            await pulse.WaitForNextTickAsync();
        }
        return null!;
    }

    void IMessageSource.DisposeMessage(ReceiveContext receiveContext, DispositionContext dispositionContext) => dispositionContext.Complete();

    bool IHandler.CanHandle(EventId id) => id is EventId.LinkRemoteOpen or EventId.LinkRemoteClose or EventId.ConnectionRemoteOpen;

    void IHandler.Handle(Event happened)
    {
        if (happened.Context is Attach attach) _attached.Enqueue(attach);
        if (happened.Context is Detach detach) _detached.Enqueue(detach);
        if (happened.Context is Open open) _containers.Enqueue(open.ContainerId);
    }

    public void Dispose() => _host.Close();
}
