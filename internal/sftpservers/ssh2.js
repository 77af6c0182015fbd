'use strict';
// An SFTP server on the npm package ssh2, which speaks the protocol. It serves the file system by its real names to who
// has the key, and does one thing after another, so that a look and what follows from it are one step.
//
// Usage: node ssh2.js PORT HOST_KEY AUTHORIZED_KEY

const fs = require('fs');
const path = require('path');
const { Server, utils } = require('ssh2');

const { OPEN_MODE, STATUS_CODE } = utils.sftp;
const [port, hostKey, authorizedKey] = process.argv.slice(2);
const allowed = utils.parseKey(fs.readFileSync(authorizedKey));

const statusOf = {
  ENOENT: STATUS_CODE.NO_SUCH_FILE,
  ENOTDIR: STATUS_CODE.NO_SUCH_FILE,
  ELOOP: STATUS_CODE.NO_SUCH_FILE,
  EACCES: STATUS_CODE.PERMISSION_DENIED,
  EPERM: STATUS_CODE.PERMISSION_DENIED,
};

const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC, O_EXCL } = fs.constants;

function openFlags(modes) {
  const access = { [OPEN_MODE.WRITE]: O_WRONLY, [OPEN_MODE.READ | OPEN_MODE.WRITE]: O_RDWR };
  return (access[modes & (OPEN_MODE.READ | OPEN_MODE.WRITE)] ?? O_RDONLY)
    | (modes & OPEN_MODE.APPEND && O_APPEND)
    | (modes & OPEN_MODE.CREAT && O_CREAT)
    | (modes & OPEN_MODE.TRUNC && O_TRUNC)
    | (modes & OPEN_MODE.EXCL && O_EXCL);
}

// setAttributes changes a file by its name, or by its descriptor.
function setAttributes(file, { size, mode, uid, gid, atime, mtime }) {
  const byName = typeof file === 'string';
  if (size !== undefined) (byName ? fs.truncateSync : fs.ftruncateSync)(file, size);
  if (uid !== undefined) (byName ? fs.chownSync : fs.fchownSync)(file, uid, gid);
  if (mode !== undefined) (byName ? fs.chmodSync : fs.fchmodSync)(file, mode & 0o7777);
  if (mtime !== undefined) (byName ? fs.utimesSync : fs.futimesSync)(file, atime, mtime);
}

function serve(sftp) {
  const open = new Map(); // descriptors of files and listings of directories, by handle
  let opened = 0;

  function give(id, what) {
    const handle = String(++opened);
    open.set(handle, what);
    sftp.handle(id, Buffer.from(handle));
  }

  function behind(handle) {
    const what = open.get(handle.toString());
    if (what === undefined) throw new Error('no such handle');
    return what;
  }

  // answer has act send the answer to a request. What it throws is the answer, too.
  function answer(request, act) {
    sftp.on(request, (id, ...args) => {
      try {
        act(id, ...args);
      } catch (err) {
        sftp.status(id, statusOf[err.code] ?? STATUS_CODE.FAILURE, err.message);
      }
    });
  }

  // change is answer for a request whose answer is OK.
  function change(request, act) {
    answer(request, (id, ...args) => {
      act(...args);
      sftp.status(id, STATUS_CODE.OK);
    });
  }

  answer('OPEN', (id, name, modes, { mode }) => give(id, fs.openSync(name, openFlags(modes), mode)));
  change('CLOSE', (handle) => {
    const what = behind(handle);
    open.delete(handle.toString());
    if (typeof what === 'number') fs.closeSync(what);
  });
  answer('READ', (id, handle, offset, length) => {
    const data = Buffer.alloc(length);
    const n = fs.readSync(behind(handle), data, 0, length, offset);
    if (n === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, data.subarray(0, n));
  });
  change('WRITE', (handle, offset, data) => {
    const fd = behind(handle);
    for (let n = 0; n < data.length;) n += fs.writeSync(fd, data, n, data.length - n, offset + n);
  });

  answer('STAT', (id, name) => sftp.attrs(id, fs.statSync(name)));
  answer('LSTAT', (id, name) => sftp.attrs(id, fs.lstatSync(name)));
  answer('FSTAT', (id, handle) => sftp.attrs(id, fs.fstatSync(behind(handle))));
  change('SETSTAT', (name, attrs) => setAttributes(name, attrs));
  change('FSETSTAT', (handle, attrs) => setAttributes(behind(handle), attrs));

  answer('OPENDIR', (id, dir) => {
    const entry = (name) => ({ filename: name, longname: name, attrs: fs.lstatSync(path.join(dir, name)) });
    give(id, fs.readdirSync(dir).map(entry));
  });
  answer('READDIR', (id, handle) => {
    const entries = behind(handle).splice(0, 100);
    if (entries.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.name(id, entries);
  });

  change('REMOVE', (name) => fs.unlinkSync(name));
  change('MKDIR', (name, { mode }) => fs.mkdirSync(name, { mode }));
  change('RMDIR', (name) => fs.rmdirSync(name));
  change('RENAME', (from, to) => {
    if (fs.lstatSync(to, { throwIfNoEntry: false })) throw new Error('the new name is taken');
    fs.renameSync(from, to);
  });
  answer('READLINK', (id, name) => {
    const target = fs.readlinkSync(name);
    sftp.name(id, [{ filename: target, longname: target, attrs: {} }]);
  });
  change('SYMLINK', (link, target) => fs.symlinkSync(target, link));
  answer('REALPATH', (id, name) => {
    const real = path.resolve(name);
    sftp.name(id, [{ filename: real, longname: real, attrs: {} }]);
  });

  sftp.on('close', () => {
    for (const what of open.values()) if (typeof what === 'number') fs.closeSync(what);
  });
}

new Server({ hostKeys: [fs.readFileSync(hostKey)] }, (client) => {
  client.setNoDelay(true); // else an answer waits until the one before it is acknowledged
  client.on('authentication', (ctx) => {
    const known = ctx.method === 'publickey' && ctx.key.data.equals(allowed.getPublicSSH());
    // Without a signature the client asks only whether the key would do.
    const valid = known && (!ctx.signature || allowed.verify(ctx.blob, ctx.signature, ctx.hashAlgo) === true);
    if (valid) ctx.accept();
    else ctx.reject(['publickey']);
  });
  client.on('session', (accept) => accept().on('sftp', (accept) => serve(accept())));
  client.on('error', () => {}); // a client that is gone, which is no reason to end
}).listen(port, '127.0.0.1');
